// Sleeping on a loop: a wait that no event ends, only the wheel, or code that has work for the
// sleeper (WakeSleeper).

package loop

import "time"

// Sleep suspends the worker for ms milliseconds and lets its loop go on. s must be closed, as it is
// when zero or after Close; it lends its place on the wheel and is closed again afterwards. The
// worker must hold the loop; one that never had a loop, in a portable group, parks instead. Sleep
// returns ErrClosed as soon as the group is stopped, otherwise nil. It returns early when the loop
// calls WakeSleeper, and up to a tick and an eighth of ms late. It allocates in a portable group only.
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
	l.streams.add(s) // Stop wakes the streams in this table
	// The loop's clock was read when the turn began, and the current tick has begun already.
	err := s.suspend(w, &s.input, max(ms, 0)+1+monotonic()/tickNanos-l.Tick())
	l.wheel.remove(s)
	l.streams.remove(s)
	s.state, s.worker = closed, nil
	if err == ErrTimeout {
		return nil
	}
	return err
}

// Doze suspends the worker until there may be something to read, the loop calls WakeSleeper, or, with
// ErrTimeout, ReadTimeout has passed; TryRead tells which. The stream must be open, served by the
// worker that calls, and have a poller. It does not allocate.
func (s *Stream) Doze() error {
	err := s.wait(&s.input, int64(s.ReadTimeout))
	s.drained = false
	return err
}

// WakeSleeper ends a Doze or a Sleep. The loop must be held. If nobody waits, the next wait
// for input ends at once.
func (s *Stream) WakeSleeper() { s.loop.wakeOrMark(&s.input) }
