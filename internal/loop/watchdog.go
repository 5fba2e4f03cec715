// The watchdog: one goroutine per group. While any loop is busy it looks at the leases, and takes a
// loop away from a handler that is found waiting, or has kept the loop for longer than the
// threshold. A wait need not be long: handlers that each wait for 50 µs, one after the other, keep
// the loop as much as one that waits for ever, and are found as surely, because the watchdog looks
// at arbitrary moments. But where waits are so rare among handlers that it would cost more to hand
// all of them off, a wait must last until a second look, which comes soon; and so must every wait
// where no handler is ever handed off.
//
// It sleeps in a real system call, on a thread of its own, because the scheduler that would
// otherwise wake it is what it watches. It comes back to the scheduler only when there is something
// to do, because each time it has to wait for a P, or keeps one from others (sys.Watcher.Watch).

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

const (
	watchNanos   = 1600 * 1000        // between two looks, each of which costs some 7 µs beside a busy loop
	recheckNanos = 150 * 1000         // until the second look at a handler that was found waiting
	stallLooks   = 1                  // looks at an unchanged lease word, after the first, that make a stall
	stallNanos   = watchNanos * 3 / 2 // what a stall takes on average
	waitNanos    = watchNanos / 2     // and one that is found because its handler waits
	idleLooks    = 20                 // looks at parked loops before the watchdog parks
	dogAwake     = 0
	dogParked    = 1
)

type watchdog struct {
	state   atomic.Uint32
	wake    chan struct{}
	stop    atomic.Bool
	done    chan struct{}
	watcher sys.Watcher // used by its goroutine; others may call Thread
}

func newWatchdog() *watchdog {
	return &watchdog{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// wakeUp tells the watchdog that a loop is no longer parked. Any goroutine may call it.
func (d *watchdog) wakeUp() {
	if d.state.Load() == dogParked && d.state.CompareAndSwap(dogParked, dogAwake) {
		d.wake <- struct{}{}
	}
}

func (d *watchdog) end() {
	d.stop.Store(true)
	d.wakeUp()
	<-d.done
}

func (d *watchdog) run(loops []*Loop) {
	defer close(d.done)
	for !d.stop.Load() {
		if !d.watch(loops) {
			d.park(loops)
		}
	}
}

// configure tells the watchdog what to look at, before it runs.
func (d *watchdog) configure(loops []*Loop) {
	d.watcher = sys.Watcher{Every: watchNanos, StallLooks: stallLooks, IdleLooks: idleLooks, WaitSpacing: quickPerBlock, RecheckAfter: recheckNanos}
	if loops[0].predictor.never { // nothing would be learned, so a short wait is left alone
		d.watcher.WaitSpacing = 0
	}
	for _, l := range loops {
		d.watcher.List = append(d.watcher.List, sys.NewSentry(&l.lease.word, &l.lease.g, &l.parked, &l.yieldRequested))
	}
}

// watch looks until a loop stands still, and takes it away; it reports false when all have been
// parked for a while.
func (d *watchdog) watch(loops []*Loop) bool {
	if d.watcher.Watch(&d.stop) < 0 {
		return false
	}
	for i := range d.watcher.List { // every loop that stands still: the next look is a while away
		if s := &d.watcher.List[i]; s.Stalled() {
			cost := int64(stallNanos)
			if s.Waits() {
				cost = waitNanos
			}
			loops[i].takeOver(s.Seen(), cost)
		}
	}
	return true
}

// park waits until a loop is busy again.
func (d *watchdog) park(loops []*Loop) {
	d.state.Store(dogParked)
	for _, l := range loops {
		if !l.parked.Load() || d.stop.Load() {
			if d.state.CompareAndSwap(dogParked, dogAwake) {
				return
			}
			break // someone is waking it already: take the token
		}
	}
	<-d.wake
}
