// Gates: waiting for a signal from other code, as a coroutine or as a goroutine.

package loop

import "sync/atomic"

// Gate is a place to wait at until someone opens it. A Gate is used for one wait at a time; its
// zero value is closed.
type Gate struct {
	stream Stream
	open   atomic.Bool
}

// Wait waits until the gate is opened; timeout is in milliseconds, 0 is for ever. w is the worker
// that waits, nil for an ordinary goroutine. It does not allocate.
func (g *Gate) Wait(w *Worker, timeout int64) error {
	for s := &g.stream; !g.open.Load(); {
		if err := s.over(); err != nil {
			return err
		}
		if err := g.wait(w, timeout); err != nil && !g.open.Load() {
			return err
		}
	}
	return nil
}

func (g *Gate) wait(w *Worker, timeout int64) error {
	s := &g.stream
	if w != nil {
		if under, held := w.Enter(); held {
			err := s.gate(w, timeout)
			w.Leave(under)
			return err
		}
	}
	return s.park(&s.input, timeout)
}

func (s *Stream) gate(w *Worker, timeout int64) error {
	l := w.loop
	if l.stopping {
		return ErrClosed
	}
	s.loop, s.worker, s.fd, s.at, s.state = l, w, -1, unarmed, running
	l.streams.add(s) // Stop wakes the streams in this table
	err := s.suspend(w, &s.input, timeout)
	l.wheel.remove(s)
	l.streams.remove(s)
	s.state = closed
	return err
}

// Open lets the waiter, present or future, go on. Any goroutine may call it.
func (g *Gate) Open() {
	g.open.Store(true)
	g.stream.wakeOrMarkFromOutside()
}

// Cancel ends the wait, present or future, with ErrOver unless the gate is open. Any goroutine may
// call it.
func (g *Gate) Cancel() {
	g.stream.signs.Or(signBarred)
	g.stream.wakeOrMarkFromOutside()
}

// Opened reports whether the gate is open.
func (g *Gate) Opened() bool { return g.open.Load() }

// Reset closes the gate again. Nobody may be waiting.
func (g *Gate) Reset() {
	g.open.Store(false)
	g.stream.signs.Store(0)
	g.stream.input.Store(nil)
}

// wakeOrMarkFromOutside is wakeOrMark for input, from any goroutine.
func (s *Stream) wakeOrMarkFromOutside() {
	for {
		old := s.input.Load()
		if old == ready {
			return
		}
		next := ready
		if old != nil {
			next = nil
		}
		if !s.input.CompareAndSwap(old, next) {
			continue
		}
		switch {
		case old == nil:
		case old.worker != nil: // suspended, so its loop has not ended
			old.worker.loop.Post(func(l *Loop) { l.wakeWaiter(old) })
		default:
			old.wake <- struct{}{}
		}
		return
	}
}
