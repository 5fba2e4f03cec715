//go:build !linux

// The alarm where the timers of package time are all there is.

package main

import "time"

// alarm calls ring, on a goroutine of its own, when it is time. set and stop may be
// called from any goroutine.
type alarm struct{ timer *time.Timer }

func newAlarm(ring func()) (*alarm, error) {
	a := &alarm{time.AfterFunc(time.Hour, ring)}
	a.timer.Stop()
	return a, nil
}

// set has it ring once, in d from now.
func (a *alarm) set(d time.Duration) { a.timer.Reset(d) }

// stop has it not ring any more, unless it is ringing.
func (a *alarm) stop() { a.timer.Stop() }
