// Parking: how a goroutine waits. It leaves a waiter in the stream's word, and whoever
// takes that out sends it a wake: the loop, when something happens, or its own timer, when
// its time is up. So there is one channel to wait on, for each wait one wake, and a timer
// that comes too late finds nothing.

package loop

import (
	"cmp"
	"sync"
	"time"
)

// waiter is who waits at a word.
type waiter struct {
	worker  *Worker // to be made runnable; nil for a goroutine
	expired bool    // its time was up: the wheel's doing, or the timer's; goes with the wake
	away    bool    // the stream is no longer its; the same

	// Of a goroutine:
	wake  chan struct{}
	timer *time.Timer   // made at the first wait with an end
	side  *word         // that the timer is to look at
	vain  chan struct{} // told by a timer that has come too late
}

var parkers = sync.Pool{New: func() any {
	return &waiter{wake: make(chan struct{}, 1), vain: make(chan struct{}, 1)}
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
		if err != ErrOver { // else the stream is another's by now
			s.took(side, monotonic()-now)
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
		<-me.wake // it came at the last moment, and is not to be lost
	case due > 0:
		me.arm(side, due*tickNanos-now)
		<-me.wake
		me.disarm()
	default:
		<-me.wake
	}
	return s.woken(side, me)
}

// arm has the wait at side end in so many nanoseconds, until disarm.
func (me *waiter) arm(side *word, nanos int64) {
	me.side = side
	if me.timer == nil {
		me.timer = time.AfterFunc(time.Duration(nanos), me.expire)
	} else {
		me.timer.Reset(time.Duration(nanos))
	}
}

// expire is what the timer does.
func (me *waiter) expire() {
	if !me.side.CompareAndSwap(me, nil) {
		me.vain <- struct{}{}
		return
	}
	me.expired = true
	me.wake <- struct{}{}
}

// disarm stops the timer of a wait that is over. One that is on its way must have been before
// the next wait: it would end that.
func (me *waiter) disarm() {
	if !me.expired && !me.timer.Stop() {
		<-me.vain
	}
}

// woken returns why a goroutine's wait is over, nil when it may go on.
func (s *Stream) woken(side *word, me *waiter) error {
	switch {
	case me.expired:
		me.expired = false
		return s.late(side)
	case me.away:
		me.away = false
		return cmp.Or(s.over(), ErrOver)
	}
	err := s.over()
	if err == ErrOver { // barred just behind what happened, which is for who has barred it, then
		s.loop.signal(side)
	}
	return err
}
