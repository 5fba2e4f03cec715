//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// That others run beside a busy loop.

package loop

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/sys"
)

// A visit has the runtime's poller asked: with one P, and nobody else to ask it, a goroutine
// that waits for a socket runs after few of them.
func TestVisitAsksThePoller(t *testing.T) {
	checkLeaks(t)
	var b bell
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	defer b.close()
	fd, far := pair(t)
	defer sys.Close(fd)
	var heard atomic.Int32
	go func() {
		for buf := make([]byte, 1); ; heard.Add(1) {
			if _, err := far.Read(buf); err != nil {
				return
			}
		}
	}()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const rounds = 100
	late := 0
	for n := range int32(rounds) {
		runtime.Gosched() // it waits
		if _, e := sys.Send(fd, []byte{1}, false); e != 0 {
			t.Fatal(e)
		}
		visits := 0
		for ; heard.Load() == n; visits++ {
			b.visit()
		}
		if visits > 3 {
			late++
		}
	}
	if late > rounds/4 { // another thread may have the event, and no core to run on
		t.Errorf("in %d rounds of %d it took more than 3 visits", late, rounds)
	}
	_ = far.Close()
}

// A loop that is never without work visits all the same, and yields.
func TestBusyLoopVisits(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	var stop atomic.Bool
	var again func(*Worker)
	again = func(w *Worker) {
		if !stop.Load() {
			w.loop.backlog.push(job{fn: again})
		}
	}
	l.Go(again)
	at := func() int64 { return onLoop(t, l, func(l *Loop) int64 { return l.visited }) }
	first := at()
	eventually(t, "two visits", func() bool {
		if l.parked.Load() {
			t.Fatal("the loop has parked")
		}
		return at() > first+visitNanos
	})
	stop.Store(true)
}
