//go:build !linux

// The alarm on systems where package time has the only timers.

package main

import "time"

// alarm calls ring, on a goroutine of its own, when the time set has passed. set and stop may
// be called from any goroutine.
type alarm struct{ timer *time.Timer }

func newAlarm(ring func()) (*alarm, error) {
	a := &alarm{time.AfterFunc(time.Hour, ring)}
	a.timer.Stop()
	return a, nil
}

// set makes it ring once, after d.
func (a *alarm) set(d time.Duration) { a.timer.Reset(d) }

// stop keeps it from ringing again; it does not wait for a ring in progress.
func (a *alarm) stop() { a.timer.Stop() }
