// The watchdog: one goroutine a group that looks at the leases while any loop is
// busy, and takes a loop away from a handler that is found waiting, or has kept it for
// longer than the threshold. A wait need not be long: whoever waits for 50 µs in each request, one
// after the other, keeps the loop as one who waits for ever does, and is found as surely, because it is
// looked for at any moment. But a wait that comes once in so many handlers that it
// would cost more to hand all of them off has to last for a second look, which comes soon; and so
// has any where none is ever handed off.
//
// It sleeps in a real system call, on a thread of its own, because
// the scheduler that would wake it otherwise is what it watches; and it comes back to
// the scheduler only when there is something to do, because each time it would have
// to wait for a P, or keep one from others (sys.Watch).

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

const (
	watchNanos  = 1600 * 1000        // between two looks, each of which costs some 7 µs beside a busy loop
	soonNanos   = 150 * 1000         // after a look that has found a handler waiting, until it is believed
	staleLooks  = 1                  // looks at one lease word, after the first, that make a stall
	stallNanos  = watchNanos * 3 / 2 // what one takes on average
	waitNanos   = watchNanos / 2     // and one that is found waiting
	restLooks   = 20                 // looks at parked loops before the dog lies down
	dogAwake    = 0
	dogSleeping = 1
)

type watchdog struct {
	state atomic.Uint32
	wake  chan struct{}
	stop  atomic.Bool
	done  chan struct{}
	eyes  sys.Watcher // its goroutine's
}

func newWatchdog() *watchdog {
	return &watchdog{wake: make(chan struct{}, 1), done: make(chan struct{})}
}

// rouse tells the dog that a loop is no longer parked. Any goroutine may call it.
func (d *watchdog) rouse() {
	if d.state.Load() == dogSleeping && d.state.CompareAndSwap(dogSleeping, dogAwake) {
		d.wake <- struct{}{}
	}
}

func (d *watchdog) end() {
	d.stop.Store(true)
	d.rouse()
	<-d.done
}

func (d *watchdog) watch(loops []*Loop) {
	defer close(d.done)
	d.face(loops)
	for !d.stop.Load() {
		if !d.guard(loops) {
			d.rest(loops)
		}
	}
}

// face has the dog look at the loops.
func (d *watchdog) face(loops []*Loop) {
	d.eyes = sys.Watcher{Every: watchNanos, Stale: staleLooks, Calm: restLooks, Dense: blockPrice, Soon: soonNanos}
	if loops[0].predictor.never { // nothing would be learned: who waits for a moment only may do so
		d.eyes.Dense = 0
	}
	for _, l := range loops {
		d.eyes.List = append(d.eyes.List, sys.NewSentry(&l.lease.word, &l.lease.g, &l.parked, &l.nagged))
	}
}

// guard looks until a loop stands still, and takes it away; it reports false when all have
// been parked for long.
func (d *watchdog) guard(loops []*Loop) bool {
	if d.eyes.Watch(&d.stop) < 0 {
		return false
	}
	for i := range d.eyes.List { // all that stand still: the next look is a while away
		if s := &d.eyes.List[i]; s.Amiss() {
			cost := int64(stallNanos)
			if s.Waits() {
				cost = waitNanos
			}
			loops[i].takeOver(s.Seen(), cost)
		}
	}
	return true
}

// rest waits until a loop is busy again.
func (d *watchdog) rest(loops []*Loop) {
	d.state.Store(dogSleeping)
	for _, l := range loops {
		if !l.parked.Load() || d.stop.Load() {
			if d.state.CompareAndSwap(dogSleeping, dogAwake) {
				return
			}
			break // someone rouses it already: take the token
		}
	}
	<-d.wake
}
