// Deadlines: points in time after which one side of a stream fails. Any goroutine may set them, and
// a wait that is under way obeys them. They apply in addition to ReadTimeout and WriteTimeout,
// which bound each wait by itself.

package loop

import (
	"sync/atomic"
	"time"
)

// extras is what few streams need. It is made at first use and stays until the stream is opened anew.
type extras struct {
	read, write atomic.Int64           // deadlines on the loop's clock, in nanoseconds; 0: none
	taker       atomic.Pointer[Worker] // of a taken stream: the worker whose handler took it, until that returns
	forgive     atomic.Pointer[func(read bool) bool]
}

// ensureExtras returns the stream's extras, which it makes if need be.
func (s *Stream) ensureExtras() *extras {
	if r := s.extras.Load(); r != nil {
		return r
	}
	s.extras.CompareAndSwap(nil, new(extras))
	return s.extras.Load()
}

// Forgive registers ask, which the waiter calls when a wait of user code on s has taken longer than
// ReadTimeout or WriteTimeout; if it returns true, the wait begins anew. nil removes it. Any
// goroutine that may use s may call Forgive. It allocates.
func (s *Stream) Forgive(ask func(read bool) bool) {
	if ask != nil {
		s.ensureExtras().forgive.Store(&ask)
	} else if r := s.extras.Load(); r != nil {
		r.forgive.Store(nil)
	}
}

// forgiven asks whether a wait of that side may go on although its time is up.
func (s *Stream) forgiven(side *word) bool {
	r := s.extras.Load()
	if r == nil {
		return false
	}
	ask := r.forgive.Load()
	if ask == nil {
		return false
	}
	if w := s.caller(); w != nil && (w.held == 0 && !w.lost || w.outsideHandler || w.groupGoroutine && !w.notAwaited) {
		return false // our own code waits, not the user's
	}
	return (*ask)(side == &s.input)
}

// Watch makes the loop call Overdue of s, whose task is a Watcher, in ms milliseconds if s is still
// served then; 0 takes that back. Any goroutine that may use s may call it. In a portable group it
// does nothing.
func (s *Stream) Watch(ms int64) {
	set := func(l *Loop) {
		due := int64(0)
		if ms > 0 {
			due = l.Tick() + ms
		}
		l.wheel.set(s, due)
	}
	if s.portable {
		return
	}
	if w := s.caller(); w != nil {
		if under := w.held != 0; w.enter() {
			set(w.loop)
			w.leave(under)
			return
		}
	}
	index, gen := s.index, s.gen
	s.loop.Post(func(l *Loop) {
		if l.streams.find(index, gen) == s && s.state != atRest {
			set(l)
		}
	})
}

// SetReadDeadline makes reads of s, under way or to come, wait no longer than until t and then fail
// with ErrDeadline; the zero time removes the deadline. Whoever may read may call it, from any
// goroutine. It may allocate.
func (s *Stream) SetReadDeadline(t time.Time) { s.setDeadline(&s.input, t) }

// SetWriteDeadline is SetReadDeadline for writes.
func (s *Stream) SetWriteDeadline(t time.Time) { s.setDeadline(&s.output, t) }

func (s *Stream) setDeadline(side *word, t time.Time) {
	if s.extras.Load() == nil && t.IsZero() {
		return
	}
	r := s.ensureExtras()
	deadline := &r.write
	if side == &s.input {
		deadline = &r.read
	}
	at := instantOf(t)
	deadline.Store(at)
	switch {
	case !s.portable:
		s.wakeFromOutside(side)
	case at == 0 || at > monotonic():
		_ = s.armConn(side == &s.input)
	case side == &s.input: // passed already; and the timeouts are another goroutine's
		_ = s.transport.conn.SetReadDeadline(past)
	default:
		_ = s.transport.conn.SetWriteDeadline(past)
	}
}

// deadlineOf returns the deadline of a side; 0 for none.
func (s *Stream) deadlineOf(side *word) int64 {
	r := s.extras.Load()
	switch {
	case r == nil:
		return 0
	case side == &s.input:
		return r.read.Load()
	}
	return r.write.Load()
}

// overdue reports whether the deadline of a side has passed.
func (s *Stream) overdue(side *word) bool {
	deadline := s.deadlineOf(side)
	return deadline != 0 && deadline <= monotonic()
}

// taker returns the worker whose handler took s and has not returned yet; nil for none.
func (s *Stream) taker() *Worker {
	if r := s.extras.Load(); r != nil {
		return r.taker.Load()
	}
	return nil
}
