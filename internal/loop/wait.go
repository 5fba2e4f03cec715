// Waiting, in two ways. Each side of a stream has one word:
//
//	nil ──waiter registers──▶ *waiter ──event──▶ nil, and the waiter is woken
//	nil ──event───────────▶ ready   ──next wait──▶ nil, at once
//
// A worker that holds its loop, or gets it back, waits as a coroutine: it
// suspends, and the loop makes it runnable. Anyone else (a goroutine the handler
// started, a handler that lost its loop) parks on a channel, with a timer of its
// own, and the loop wakes it. The words make the two safe side by side.

package loop

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
)

// Errors of a wait that ended without its event. ErrTimeout (of ReadTimeout and WriteTimeout) and
// ErrDeadline (of SetReadDeadline and SetWriteDeadline) are net.Errors that match
// os.ErrDeadlineExceeded; ErrClosed matches net.ErrClosed.
var (
	ErrTimeout  error = &waitError{"gale: the peer took too long", os.ErrDeadlineExceeded}
	ErrDeadline error = &waitError{"gale: the deadline has passed", os.ErrDeadlineExceeded}
	ErrClosed   error = &waitError{"gale: the connection was closed", net.ErrClosed}
	ErrBusy           = errors.New("gale: two goroutines use the same side of a connection at once")
	ErrOver           = errors.New("gale: the handler has returned")
)

// waitError is an error that package net has too, in words of our own.
type waitError struct {
	text string
	like error
}

func (e *waitError) Error() string   { return e.text }
func (e *waitError) Unwrap() error   { return e.like }
func (e *waitError) Timeout() bool   { return e.like == os.ErrDeadlineExceeded }
func (e *waitError) Temporary() bool { return e.Timeout() }

// Is makes ErrDeadline match ErrTimeout as well.
func (e *waitError) Is(target error) bool { return target == ErrTimeout && e.Timeout() }

// ready in a word says that something happened while nobody waited.
var ready = new(waiter)

type word = atomic.Pointer[waiter]

// caller returns the worker that serves s if the calling goroutine is that worker's, else nil. Any
// goroutine may call it while the handler has not returned.
func (s *Stream) caller() *Worker {
	w := s.worker
	if w == nil { // it was taken, or a goroutine that its handler did not wait for comes too late
		w = s.taker()
	}
	if w == nil || !w.Mine() {
		return nil
	}
	return w
}

// wait returns when something may have happened on the side of the word, or with the reason why
// nothing will. timeout is in milliseconds; 0 is none.
func (s *Stream) wait(side *word, timeout int64) error {
	for {
		err := s.waitOnce(side, timeout)
		if err != ErrTimeout || !s.forgiven(side) {
			return err
		}
	}
}

func (s *Stream) waitOnce(side *word, timeout int64) error {
	if s.signs.Load()&signUnregistered != 0 {
		s.register()
	}
	if err := s.over(); err != nil {
		return err
	}
	if w := s.caller(); w != nil {
		if under, held := w.Enter(); held {
			if s != w.serving {
				w.sendEarlyAsync()
			}
			began := w.loop.nanos
			err := s.suspend(w, side, timeout)
			s.noteWaited(side, w.loop.nanos-began)
			w.leave(under)
			return err
		}
		if w.timed {
			now := monotonic()
			err := s.park(side, timeout)
			w.began += monotonic() - now
			return err
		}
	}
	return s.park(side, timeout)
}

// noteWaited notes how long a read has waited, in nanoseconds.
func (s *Stream) noteWaited(side *word, nanos int64) {
	if side == &s.input {
		s.waited += int32(min(nanos/tickNanos, 1<<30))
	}
}

// TakeWaited returns how long reads have waited since it was last called, in milliseconds; up to
// one of each wait is lost. It is for the reader.
func (s *Stream) TakeWaited() int64 {
	ms := s.waited
	s.waited = 0
	return int64(ms)
}

func (s *Stream) suspend(w *Worker, side *word, timeout int64) error {
	if !side.CompareAndSwap(nil, &w.self) {
		if !side.CompareAndSwap(ready, nil) {
			return ErrBusy
		}
		return nil
	}
	due := int64(0) // not the deadline at rest, which is set again below
	if timeout > 0 {
		due = w.loop.Tick() + timeout
	}
	if err := s.refused(side, w.loop.nanos, &due); err != nil && side.CompareAndSwap(&w.self, nil) {
		return err
	}
	rest := s.due
	w.loop.wheel.set(s, due)
	w.suspend()
	expired := w.self.expired
	w.self.expired = false
	w.loop.wheel.set(s, rest) // a Watcher's, not this wait's
	switch {
	case s.Failed():
		return ErrClosed
	case expired:
		return s.timeoutError(side)
	}
	return nil
}

// timeoutError returns the error of a wait whose time is up.
func (s *Stream) timeoutError(side *word) error {
	if s.overdue(side) {
		return ErrDeadline
	}
	return ErrTimeout
}

// refused tells why a wait that has just been registered must not begin; otherwise it brings the
// end of the wait, due (a tick, or 0), forward to the side's deadline. Whoever sets a deadline or
// fails the stream first says so and then looks for waiters: one of the two sees the other.
func (s *Stream) refused(side *word, now int64, due *int64) error {
	if err := s.over(); err != nil {
		return err
	}
	deadline := s.deadlineOf(side)
	switch {
	case deadline == 0:
		return nil
	case deadline <= now:
		return ErrDeadline
	}
	if at := deadline/tickNanos + 1; *due == 0 || at < *due {
		*due = at
	}
	return nil
}

// over returns why no wait on s may begin or go on, nil when it may.
func (s *Stream) over() error {
	switch signs := s.signs.Load(); {
	case signs&signFailed != 0:
		return ErrClosed
	case signs&signBarred != 0:
		return ErrOver
	}
	return nil
}

// Bar makes every wait on s, under way or to come, end with ErrOver, until Unbar. It is for the
// worker that serves s, while goroutines whose waits it ends may be using s; none of them is a
// worker.
func (s *Stream) Bar() {
	s.signs.Or(signBarred)
	if s.portable {
		_ = s.transport.conn.SetDeadline(past)
		return
	}
	for _, side := range [...]*word{&s.input, &s.output} {
		if side.Load() != ready && s.dismiss(side) {
			s.loop.wakeOrMark(side) // an event that came just now must not be lost
		}
	}
}

// Unbar undoes Bar.
func (s *Stream) Unbar() { s.signs.And(^uint32(signBarred)) }

// dismiss empties the word of a stream that its handler is done with, and reports whether an event
// was noted there. A goroutine that the handler left waiting is sent away: it must not see what
// comes for the next handler.
func (s *Stream) dismiss(side *word) (happened bool) {
	for {
		who := side.Load()
		switch {
		case who == nil:
			return false
		case !side.CompareAndSwap(who, nil): // it has just timed out
		case who == ready:
			return true
		default:
			who.dismissed = true
			s.loop.wakeWaiter(who)
			return false
		}
	}
}

// deliver tells the owner of a stream that is not at rest what has happened on it. The loop must be
// held.
func (s *Stream) deliver(bits uint32) {
	if s.handleIdleEvent(bits) {
		return
	}
	if bits&hangUpBits != 0 {
		news := uint32(signHangUp)
		if bits&errorBits != 0 {
			news |= signBroken
		}
		if s.signs.Or(news)&news != news && s.task != nil {
			s.task.HangUp()
			if w := s.worker; w != nil && w.serving == s {
				w.hungUp()
			}
		}
	}
	if bits&(inputBits|hangUpBits) != 0 {
		s.loop.wakeOrMark(&s.input)
		if s.signs.Load()&signAlert != 0 {
			s.loop.wakeOrMark(&s.output)
		}
	}
	if bits&(outputBits|errorBits) != 0 {
		s.loop.wakeOrMark(&s.output)
	}
}

// wakeOrMark wakes whoever waits at the word, or notes there that something has happened.
func (l *Loop) wakeOrMark(side *word) {
	for {
		old := side.Load()
		if old == ready {
			return
		}
		next := ready
		if old != nil {
			next = nil
		}
		if !side.CompareAndSwap(old, next) {
			continue
		}
		if old != nil {
			l.wakeWaiter(old)
		}
		return
	}
}

func (l *Loop) wakeWaiter(who *waiter) {
	if who.worker != nil {
		l.runnable.push(who.worker)
		return
	}
	who.wake <- struct{}{}
}

// expireWait ends the wait of a worker that is suspended on s, and reports whether there was one.
// Goroutines have timers of their own.
func (s *Stream) expireWait() (any bool) {
	for _, side := range [...]*word{&s.input, &s.output} {
		if who := side.Load(); who != nil && who.worker != nil && side.CompareAndSwap(who, nil) {
			who.expired = true
			s.loop.wakeWaiter(who)
			any = true
		}
	}
	return any
}
