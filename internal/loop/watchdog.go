// The watchdog: one goroutine a group that looks at the leases while any loop is
// busy, and takes a loop away from a handler that has kept it for longer than
// the threshold. It sleeps in a real system call, on a thread of its own, because
// the scheduler that would wake it otherwise is what it watches.

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

const (
	watchNanos  = 500 * 1000 // between two looks
	staleLooks  = 2          // looks at one lease word that make a stall
	restLooks   = 40         // looks at parked loops before the dog lies down
	dogAwake    = 0
	dogSleeping = 1
)

type watchdog struct {
	state atomic.Uint32
	wake  chan struct{}
	stop  atomic.Bool
	done  chan struct{}
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
	words := make([]uint64, len(loops))
	looks := make([]int, len(loops))
	calm := 0
	for !d.stop.Load() {
		sys.Sleep(watchNanos)
		calm++
		for i, l := range loops {
			word := l.lease.word.Load()
			if !l.parked.Load() {
				calm = 0
			}
			if word&inHandler == 0 || word != words[i] {
				words[i], looks[i] = word, 0
				continue
			}
			if looks[i]++; looks[i] >= staleLooks {
				l.takeOver(word)
			}
		}
		if calm > restLooks {
			d.rest(loops)
			calm = 0
		}
	}
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
