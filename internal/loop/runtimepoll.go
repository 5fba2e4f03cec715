// Letting others run. A saturated loop never parks, so its P never runs dry, and only then does the
// scheduler poll the runtime's poller, which all sockets of package net depend on. Otherwise sysmon
// polls it every 10 ms, which a round trip to a database would take each way. Yielding does not
// help: the loop that yields is what the scheduler finds to run next.
//
// So a busy loop yields often, and now and then it parks on a descriptor that it has signalled
// itself (selfWake): whoever is ready runs, and then the scheduler has to poll, to find the loop.
// Where the others never finish it does not, and only sysmon's poll wakes the loop: a poll that
// took long is not repeated soon.
//
// Both happen between turns, when the time is known. A turn of many handlers that each take long,
// but not long enough to lose the loop, is interrupted: the watchdog, which looks at the clock
// anyway, sets a flag (Loop.yieldRequested).

package loop

import "runtime"

const (
	yieldNanos         = 200 * 1000  // how long a busy loop runs before it lets the scheduler run
	pollRuntimeNanos   = 500 * 1000  // and before some loop of the group polls the runtime's poller
	slowPollNanos      = 6000 * 1000 // a poll that takes longer was ended by sysmon; one that waits for other loops takes less
	slowPollFactor     = 16          // the next poll is due after so many times as long
	maxHandedOffEvents = 32          // limit on the events of a turn where handlers are handed off: they are to begin soon
)

// yieldIfDue lets the scheduler run others if it is time to, and reports whether it did. It is
// called before a poll, so that what the poll brings is served at once.
func (l *Loop) yieldIfDue() bool {
	if l.handedOff == 0 && l.nanos-l.yielded <= yieldNanos {
		return false
	}
	runtime.Gosched()
	l.pollRuntime()
	return true
}

// pollRuntime makes the scheduler poll the runtime's poller, if that is due. A poll serves everyone,
// so one loop of the group would do; but where loops share a P, it runs dry only when all of them
// park. So they do it in rounds, each of which ends when its first loop is back.
func (l *Loop) pollRuntime() {
	round := l.group.pollRuntimeAt.Load()
	if round > l.nanos || round == l.polledRound {
		return
	}
	l.polledRound = round
	began := monotonic()
	l.selfWake.pollRuntime()
	now := monotonic()
	next := now + pollRuntimeNanos
	if took := now - began; took > slowPollNanos {
		next += slowPollFactor * took
	}
	l.group.pollRuntimeAt.CompareAndSwap(round, next)
}

// interrupted lets the scheduler run others in the middle of a turn, if the watchdog has seen the
// loop busy since it last did.
func (l *Loop) interrupted() {
	if !l.yieldRequested.Load() {
		return
	}
	l.yieldRequested.Store(false)
	l.keepTime()
	if l.yieldIfDue() {
		l.keepTime()
		l.yielded = l.nanos
	}
}
