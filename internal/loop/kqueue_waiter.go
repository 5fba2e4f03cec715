//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// The kqueue waiter: one goroutine for all parked loops of the process, in a system call that waits for
// the first event of any of them. It is there while there are loops.
//
// It costs a thread, and one more switch of goroutines when an idle loop is woken. While it waits,
// the scheduler takes its P back as from any system call: within a tick of sysmon, 20 µs to 10 ms,
// if there is anything that no other P could do as well (retake in runtime/proc.go). A loop that
// waited in such a call itself would hold up the goroutines of its P in this way, at each parking.
// The waiter lets them run before it waits, and there is one for all loops. But with GOMAXPROCS=1
// its P is the only one: when an idle loop has been woken and has parked again, timers and sockets
// of package net may be that late.

package loop

import (
	"os"
	"runtime"
	"sync"

	"github.com/gale-http/gale/internal/sys"
)

type kqueueWaiter struct {
	parkedSets int // a kqueue of the sets of parked loops, each until it fires
	done       chan struct{}
	mu         sync.Mutex
	pollers    map[int]*poller // by set
}

// endToken is the token of the timer that ends the kqueue waiter.
const endToken = ^uint64(0)

var (
	kqueueWaiterLock sync.Mutex
	theKqueueWaiter  *kqueueWaiter // nil while there are no loops
)

// joinKqueueWaiter returns the kqueue waiter, which watches for p from now on.
func joinKqueueWaiter(set int, p *poller) (*kqueueWaiter, error) {
	kqueueWaiterLock.Lock()
	defer kqueueWaiterLock.Unlock()
	if theKqueueWaiter == nil {
		gate, err := sys.KqueueCreate()
		if err != nil {
			return nil, os.NewSyscallError("kqueue", err)
		}
		theKqueueWaiter = &kqueueWaiter{parkedSets: gate, done: make(chan struct{}), pollers: make(map[int]*poller)}
		go theKqueueWaiter.watch()
	}
	k := theKqueueWaiter
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pollers[set] = p
	return k, nil
}

// leave undoes joinKqueueWaiter; the last to leave ends the waiter.
func (k *kqueueWaiter) leave(set int) {
	kqueueWaiterLock.Lock()
	defer kqueueWaiterLock.Unlock()
	k.mu.Lock()
	delete(k.pollers, set)
	last := len(k.pollers) == 0
	k.mu.Unlock()
	if !last {
		return
	}
	theKqueueWaiter = nil
	// All of these systems have timers, but not all have user events.
	if sys.KqueueChange(k.parkedSets, 0, sys.Timer, sys.Add|sys.Once, endToken) == 0 {
		<-k.done
	}
}

// arm makes the next event of set, or one that is there already, wake its poller.
func (k *kqueueWaiter) arm(set int) bool {
	return sys.KqueueChange(k.parkedSets, set, sys.Input, sys.Add|sys.Once, uint64(set)) == 0
}

// disarm undoes arm, if it has not fired.
func (k *kqueueWaiter) disarm(set int) {
	sys.KqueueChange(k.parkedSets, set, sys.Input, sys.Delete, uint64(set))
}

func (k *kqueueWaiter) watch() {
	defer close(k.done)
	defer sys.KqueueClose(k.parkedSets)
	var events [64]sys.Kevent
	for {
		n, e := sys.KqueueBlock(k.parkedSets, events[:])
		if e != 0 {
			n = 0 // a signal
		}
		for i := range events[:n] {
			token := events[i].Token()
			if token == endToken {
				return
			}
			k.wake(int(token))
		}
		runtime.Gosched() // those that were woken go first, on this P
	}
}

// wake wakes the poller of a set, unless it has been woken by someone else.
func (k *kqueueWaiter) wake(set int) {
	k.mu.Lock()
	p := k.pollers[set]
	k.mu.Unlock()
	if p != nil && p.armed.CompareAndSwap(true, false) {
		p.wake()
	}
}
