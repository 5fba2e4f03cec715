//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// The lookout: one goroutine for all parked loops of the process, in a system call that waits for
// the first event of any of them. It is there while there are loops.
//
// It costs a thread, and one more switch of goroutines when an idle loop is woken. While it waits,
// the scheduler takes its P back as from any system call: within a tick of sysmon, 20 µs to 10 ms,
// if there is anything that no other P could do as well (retake in runtime/proc.go). A loop that
// waited in such a call itself would hold up the goroutines of its P in this way, at each parking.
// The lookout lets them run before it waits, and there is one for all loops. But with GOMAXPROCS=1
// its P is the only one: when an idle loop has been woken and has parked again, timers and sockets
// of package net may be that late.

package loop

import (
	"os"
	"runtime"
	"sync"

	"github.com/gale-http/gale/internal/sys"
)

type lookout struct {
	gate    int // a kqueue of the sets of parked loops, each until it fires
	done    chan struct{}
	mu      sync.Mutex
	pollers map[int]*poller // by set
}

// endToken is the token of the timer that ends the lookout.
const endToken = ^uint64(0)

var (
	lookoutLock sync.Mutex
	theLookout  *lookout // nil while there are no loops
)

// joinLookout returns the lookout, which watches for p from now on.
func joinLookout(set int, p *poller) (*lookout, error) {
	lookoutLock.Lock()
	defer lookoutLock.Unlock()
	if theLookout == nil {
		gate, err := sys.KqueueCreate()
		if err != nil {
			return nil, os.NewSyscallError("kqueue", err)
		}
		theLookout = &lookout{gate: gate, done: make(chan struct{}), pollers: make(map[int]*poller)}
		go theLookout.watch()
	}
	o := theLookout
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pollers[set] = p
	return o, nil
}

// leave undoes joinLookout; the last to leave ends the lookout.
func (o *lookout) leave(set int) {
	lookoutLock.Lock()
	defer lookoutLock.Unlock()
	o.mu.Lock()
	delete(o.pollers, set)
	last := len(o.pollers) == 0
	o.mu.Unlock()
	if !last {
		return
	}
	theLookout = nil
	// All of these systems have timers, but not all have user events.
	if sys.KqueueChange(o.gate, 0, sys.Timer, sys.Add|sys.Once, endToken) == 0 {
		<-o.done
	}
}

// arm makes the next event of set, or one that is there already, ring its poller's bell.
func (o *lookout) arm(set int) bool {
	return sys.KqueueChange(o.gate, set, sys.Input, sys.Add|sys.Once, uint64(set)) == 0
}

// disarm undoes arm, if it has not fired.
func (o *lookout) disarm(set int) { sys.KqueueChange(o.gate, set, sys.Input, sys.Delete, uint64(set)) }

func (o *lookout) watch() {
	defer close(o.done)
	defer sys.KqueueClose(o.gate)
	var events [64]sys.Kevent
	for {
		n, e := sys.KqueueBlock(o.gate, events[:])
		if e != 0 {
			n = 0 // a signal
		}
		for i := range events[:n] {
			token := events[i].Token()
			if token == endToken {
				return
			}
			o.ring(int(token))
		}
		runtime.Gosched() // those that were rung go first, on this P
	}
}

// ring wakes the poller of a set, unless it has been woken by someone else.
func (o *lookout) ring(set int) {
	o.mu.Lock()
	p := o.pollers[set]
	o.mu.Unlock()
	if p != nil && p.armed.CompareAndSwap(true, false) {
		p.wake()
	}
}
