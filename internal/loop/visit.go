// Letting others run. A saturated loop never parks, so its P never runs dry, and only then does the
// scheduler poll the runtime's poller, which all sockets of package net depend on. Otherwise sysmon
// polls it every 10 ms, which a round trip to a database would take each way. Yielding does not
// help: the loop that yields is what the scheduler finds to run next.
//
// So a busy loop yields often, and now and then it parks on a bell that it has rung itself: whoever
// is ready runs, and then the scheduler has to poll, to find the loop. Where the others never
// finish it does not, and only sysmon's poll finds the bell: a visit that took long is not repeated
// soon.
//
// Both happen between turns, when the time is known. A turn of many handlers that each take long,
// but not long enough to lose the loop, is interrupted: the watchdog, which looks at the clock
// anyway, sets a flag (Loop.nagged).

package loop

import "runtime"

const (
	yieldNanos = 200 * 1000  // how long a busy loop runs before it lets the scheduler run
	visitNanos = 500 * 1000  // and before some loop of the group visits the runtime's poller
	slowNanos  = 6000 * 1000 // a visit that takes longer was ended by sysmon; one that waits for other loops takes less
	slowVisits = 16          // the next visit is due after so many times as long
	handedMost = 32          // limit on the events of a turn where handlers are handed off: they are to begin soon
)

// letOthers lets the scheduler run others if it is time to, and reports whether it did. It is
// called before a poll, so that what the poll brings is served at once.
func (l *Loop) letOthers() bool {
	if l.handed == 0 && l.nanos-l.yielded <= yieldNanos {
		return false
	}
	runtime.Gosched()
	l.visit()
	return true
}

// visit makes the scheduler poll the runtime's poller, if that is due. A poll serves everyone, so
// one loop of the group would do; but where loops share a P, it runs dry only when all of them
// visit. So they visit in rounds, each of which ends when its first loop is back.
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

// interrupted lets the scheduler run others in the middle of a turn, if the watchdog has seen the
// loop busy since it last did.
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
