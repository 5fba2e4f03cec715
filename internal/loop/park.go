// Parking: how a goroutine waits. It leaves a waiter in the stream's word, and whoever takes the
// waiter out sends it a wake-up: the loop, when something happens, or the waiter's own timer, when
// its time is up. So there is one channel to wait on and one wake-up per wait, and a timer that
// fires too late finds nothing.

package loop

import (
	"cmp"
	"sync"
	"time"
)

// waiter stands for whoever waits at a word.
type waiter struct {
	worker    *Worker // to be made runnable; nil for a goroutine
	expired   bool    // its time is up: set by the wheel or the timer before the wake-up
	dismissed bool    // the stream is no longer its to use: likewise

	// Only for a goroutine:
	wake     chan struct{}
	timer    *time.Timer   // made at the first wait with a time limit
	side     *word         // the word that the timer looks at
	lateFire chan struct{} // signalled by a timer that has fired too late
}

var parkers = sync.Pool{New: func() any {
	return &waiter{wake: make(chan struct{}, 1), lateFire: make(chan struct{}, 1)}
}}

func (s *Stream) park(side *word, timeout int64) (err error) {
	me := parkers.Get().(*waiter)
	defer parkers.Put(me)
	if !side.CompareAndSwap(nil, me) {
		if !side.CompareAndSwap(ready, nil) {
			return ErrBusy
		}
		return nil
	}
	now, due := monotonic(), int64(0)
	defer func() {
		if err != ErrOver { // else the stream may be someone else's by now
			s.noteWaited(side, monotonic()-now)
		}
	}()
	if timeout > 0 {
		due = now/tickNanos + timeout + 1
	}
	err = s.refused(side, now, &due)
	switch {
	case err != nil:
		if side.CompareAndSwap(me, nil) {
			return err
		}
		<-me.wake // woken at the last moment: the wake-up must not be lost
	case due > 0:
		me.arm(side, due*tickNanos-now)
		<-me.wake
		me.disarm()
	default:
		<-me.wake
	}
	return s.woken(side, me)
}

// arm ends the wait at side after so many nanoseconds, unless disarm comes first.
func (me *waiter) arm(side *word, nanos int64) {
	me.side = side
	if me.timer == nil {
		me.timer = time.AfterFunc(time.Duration(nanos), me.expire)
	} else {
		me.timer.Reset(time.Duration(nanos))
	}
}

// expire is the function of the timer.
func (me *waiter) expire() {
	if !me.side.CompareAndSwap(me, nil) {
		me.lateFire <- struct{}{}
		return
	}
	me.expired = true
	me.wake <- struct{}{}
}

// disarm stops the timer of a wait that is over. It waits for one that has already fired, which
// would otherwise end the next wait.
func (me *waiter) disarm() {
	if !me.expired && !me.timer.Stop() {
		<-me.lateFire
	}
}

// woken returns the error that ended a goroutine's wait, nil when it may go on.
func (s *Stream) woken(side *word, me *waiter) error {
	switch {
	case me.expired:
		me.expired = false
		return s.timeoutError(side)
	case me.dismissed:
		me.dismissed = false
		return cmp.Or(s.over(), ErrOver)
	}
	err := s.over()
	// Barred right after the event, which is therefore passed on to whoever waits next.
	if err == ErrOver {
		s.loop.wakeOrMark(side)
	}
	return err
}
