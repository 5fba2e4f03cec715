// Letting others run. A saturated loop never parks, so its P never runs dry, and only then
// does the scheduler ask the runtime's poller, which all sockets of package net hang on;
// sysmon asks it every 10 ms, which is what a round trip to a database would take each way.
// Yielding does not help: the loop that yields is what is found to run next.
//
// So a busy loop yields often, and now and then it parks on a bell that it has rung
// itself: whoever is ready runs, and then the poller has to be asked, for the loop's
// sake. Where others are never done it has not, and only sysmon answers the bell: a visit
// that took long is not repeated soon.
//
// Both are done between turns, when the time is known. A turn of many handlers that each take
// long, but not so long that their loop is taken from them, is interrupted: the watchdog, which looks at
// the clock anyway, leaves word.

package loop

import "runtime"

const (
	yieldNanos = 200 * 1000  // how long a busy loop runs before it lets the scheduler run
	visitNanos = 500 * 1000  // and before some loop of the group visits the runtime's poller
	slowNanos  = 6000 * 1000 // what a visit takes that sysmon has ended; one that waits for other loops takes less
	slowVisits = 16          // how many times as long the next has to wait then
	handedMost = 32          // what a turn may bring, where handlers are handed off: they are to begin soon
)

// letOthers has the scheduler run others, if it is time to. It is called before a poll, so
// that what that brings is served at once, and reports whether anybody has had a turn.
func (l *Loop) letOthers() bool {
	if l.handed == 0 && l.nanos-l.yielded <= yieldNanos {
		return false
	}
	runtime.Gosched()
	l.visit()
	return true
}

// visit has the runtime's poller asked, if that is due. Its answers are everybody's, so one
// loop of the group would do; but where loops share a P, it runs dry only when all of them
// visit. So they do it in rounds, which end when the first of them is back.
func (l *Loop) visit() {
	round := l.group.visitAt.Load()
	if round > l.nanos || round == l.visited {
		return
	}
	l.visited = round
	began := monotonic()
	l.bell.visit()
	now := monotonic()
	next := now + visitNanos
	if took := now - began; took > slowNanos {
		next += slowVisits * took
	}
	l.group.visitAt.CompareAndSwap(round, next)
}

// interrupted has the scheduler run others in the midst of a turn, if the watchdog has seen
// the loop busy since it last did.
func (l *Loop) interrupted() {
	if !l.nagged.Load() {
		return
	}
	l.nagged.Store(false)
	l.keepTime()
	if l.letOthers() {
		l.keepTime()
		l.yielded = l.nanos
	}
}
