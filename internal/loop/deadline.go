// Deadlines: points in time after which one side of a stream fails. Any goroutine
// may set them, and a wait that is under way heeds them. They come on top of
// ReadTimeout and WriteTimeout, which bound each wait by itself.

package loop

import (
	"sync/atomic"
	"time"
)

// rare is what few streams have. It is made at first use and stays until the stream
// is opened anew.
type rare struct {
	read, write atomic.Int64           // deadlines on the loop's clock, in nanoseconds; 0 none
	taker       atomic.Pointer[Worker] // a taken stream's: whose handler took it, until that returns
}

// SetReadDeadline has reads of s, those under way and those to come, wait no longer
// than until t, and fail with ErrTimeout then; the zero time takes it back. Whoever
// may read may call it, from any goroutine. It may allocate.
func (s *Stream) SetReadDeadline(t time.Time) { s.setDeadline(&s.input, t) }

// SetWriteDeadline is SetReadDeadline for writes.
func (s *Stream) SetWriteDeadline(t time.Time) { s.setDeadline(&s.output, t) }

func (s *Stream) setDeadline(side *word, t time.Time) {
	r := s.rare.Load()
	if r == nil {
		if t.IsZero() {
			return
		}
		s.rare.CompareAndSwap(nil, new(rare))
		r = s.rare.Load()
	}
	deadline := &r.write
	if side == &s.input {
		deadline = &r.read
	}
	deadline.Store(instantOf(t))
	if s.portable {
		_ = s.armConn(side == &s.input)
		return
	}
	s.nudge(side)
}

// deadlineOf returns the deadline of a side; 0 for none.
func (s *Stream) deadlineOf(side *word) int64 {
	r := s.rare.Load()
	switch {
	case r == nil:
		return 0
	case side == &s.input:
		return r.read.Load()
	}
	return r.write.Load()
}

// overdue tells whether the deadline of a side has passed.
func (s *Stream) overdue(side *word) bool {
	deadline := s.deadlineOf(side)
	return deadline != 0 && deadline <= monotonic()
}

// taker returns the worker whose handler took s and has not returned.
func (s *Stream) taker() *Worker {
	if r := s.rare.Load(); r != nil {
		return r.taker.Load()
	}
	return nil
}
