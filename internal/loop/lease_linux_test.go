// The lease: user code that keeps the loop too long, and user code that never
// comes back.

package loop

import (
	"runtime"
	"testing"

	"github.com/gale-http/gale/internal/sys"
)

// User code that ends its goroutine has no lease any more.
func TestGoexitGivesTheLeaseBack(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	gone := make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(gone)
		w.Begin(nil)
		runtime.Goexit()
	})
	receive(t, gone, "the handler to end")
	if onLoop(t, l, func(l *Loop) bool { return l.lease.word.Load()&inHandler != 0 }) {
		t.Error("the lease is still a handler's that has ended")
	}
}

// The same after the loop was taken away: what the handler held of the poller is
// released (checked at the end of the test).
func TestGoexitAfterATakeoverReleasesThePoller(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	gone := make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(gone)
		w.Begin(nil)
		for l.Stalls() == 0 {
			runtime.Gosched()
		}
		runtime.Goexit()
	})
	receive(t, gone, "the handler to end")
	onLoop(t, l, func(*Loop) any { return nil })
}

// A watchdog that comes after the end must not close the poller once more: its
// descriptors may be someone else's by then.
func TestTakeoverOfAnEndedLoopTouchesNothing(t *testing.T) {
	l := &Loop{group: &Group{}}
	if err := l.poller.open(); err != nil {
		t.Fatal(err)
	}
	defer l.poller.close()
	l.lease.word.Store(leaseWord(0, 2)) // back on the loop, which nobody refers to any more
	if l.takeOver(leaseWord(0, 1) | inHandler) {
		t.Fatal("the loop was taken from nobody")
	}
	var events [1]sys.EpollEvent
	if _, e := sys.EpollWait(l.poller.set, events[:]); e != 0 {
		t.Error("the poller was closed again")
	}
}
