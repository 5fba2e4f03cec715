// Sleeping on a loop: a wait for nothing, that only the wheel ends, or somebody who
// has something to do for the sleeper.

package loop

import "time"

// Sleep suspends the worker for ms milliseconds and lets its loop go on. s must
// be closed, as its zero value and one after Close are; it lends its place on
// the wheel and is closed again afterwards. The worker must hold the loop; one
// that never had a loop, in a portable group, parks instead. Sleep returns
// ErrClosed as soon as the group is stopped, else nil; before its time when the
// loop calls Stir. A tick and an eighth of ms may come on top. It allocates in a
// portable group only.
func (s *Stream) Sleep(w *Worker, ms int64) error {
	if w.lost {
		timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-w.loop.group.stop.Done():
			return ErrClosed
		}
	}
	l := w.loop
	if l.stopping {
		return ErrClosed
	}
	s.reset()
	s.loop, s.worker, s.state = l, w, running
	l.streams.add(s) // where Stop looks for whom to wake
	// The loop's clock is as old as its turn, and this tick has begun already.
	err := s.suspend(w, &s.input, max(ms, 0)+1+monotonic()/tickNanos-l.Tick())
	l.wheel.remove(s)
	l.streams.remove(s)
	s.state, s.worker = closed, nil
	if err == ErrTimeout {
		return nil
	}
	return err
}

// Doze suspends the worker until there may be something to read, the loop calls
// Stir, or, with ErrTimeout, ReadTimeout has passed; TryRead tells what it was. The
// stream must be open, served by the worker that calls, and have a poller. It does
// not allocate.
func (s *Stream) Doze() error {
	err := s.wait(&s.input, int64(s.ReadTimeout))
	s.drained = false
	return err
}

// Stir ends a Doze or a Sleep. The loop must be held. If nobody waits, the next wait
// for input ends at once.
func (s *Stream) Stir() { s.loop.signal(&s.input) }
