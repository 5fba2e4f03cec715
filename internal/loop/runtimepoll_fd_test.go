//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Others must run beside a busy loop.

package loop

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// pollRuntime polls the runtime's poller: with one P, and nothing else to poll it, a goroutine that
// waits for a socket runs after a few calls.
func TestPollRuntimePolls(t *testing.T) {
	checkLeaks(t)
	var b selfWake
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
		if _, e := sys.Send(fd, []byte{1}); e != 0 {
			t.Fatal(e)
		}
		calls := 0
		for ; heard.Load() == n; calls++ {
			b.pollRuntime()
		}
		if calls > 3 {
			late++
		}
	}
	if late > rounds/4 { // another thread may have the event, and no core to run on
		t.Errorf("in %d rounds of %d it took more than 3 calls", late, rounds)
	}
	_ = far.Close()
}

// A loop that is never without work polls the runtime's poller all the same, and yields.
func TestBusyLoopPollsRuntime(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	var stop atomic.Bool
	var again func(*Worker)
	again = func(w *Worker) {
		if !stop.Load() {
			w.loop.functions.push(again)
		}
	}
	busy := make(chan struct{})
	l.Go(func(w *Worker) { close(busy); again(w) })
	simnet.Receive(t, busy, "the loop")
	at := g.pollRuntimeAt.Load
	first := at()
	simnet.Eventually(t, "two polls", func() bool {
		if l.parked.Load() {
			t.Fatal("the loop has parked")
		}
		return at() > first+pollRuntimeNanos
	})
	stop.Store(true)
}

// A turn of many handlers is interrupted when the watchdog has set the flag.
func TestLongTurnIsInterrupted(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran atomic.Bool
	within := make(chan bool, 1)
	onLoop(t, l, func(l *Loop) any {
		const jobs, at = 40, 10
		for i := range jobs {
			l.functions.push(func(w *Worker) {
				switch i {
				case at:
					go ran.Store(true)
					fallthrough
				case at + 1: // once in 61 times the goroutine that yields is the next to run
					l.yielded = 0 // long ago
					l.yieldRequested.Store(true)
				case jobs - 1:
					within <- ran.Load()
				}
			})
		}
		return nil
	})
	if !simnet.Receive(t, within, "the turn to end") {
		t.Error("nobody else ran in the midst of a long turn")
	}
}

// Where others never finish, a poll of the runtime's poller is long, and is not repeated soon.
func TestSlowRuntimePollsAreRare(t *testing.T) {
	checkLeaks(t)
	l := &Loop{group: &Group{}}
	if err := l.selfWake.open(); err != nil {
		t.Fatal(err)
	}
	defer l.selfWake.close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
			runtime.Gosched()
		}
	}()
	simnet.Eventually(t, "a poll that sysmon ends, and a pause after it", func() bool {
		l.group.pollRuntimeAt.Store(1)
		l.nanos, l.yielded, l.polledRound = monotonic(), 0, 0
		return l.yieldIfDue() && l.group.pollRuntimeAt.Load() > monotonic()+slowPollNanos
	})
}

// Each loop of a group takes part in a round once, and the first that is back ends the round.
func TestLoopsPollRuntimeInRounds(t *testing.T) {
	checkLeaks(t)
	g := &Group{}
	loops := [2]*Loop{{group: g}, {group: g}}
	for _, l := range loops {
		if err := l.selfWake.open(); err != nil {
			t.Fatal(err)
		}
		defer l.selfWake.close()
		l.nanos = 10
	}
	g.pollRuntimeAt.Store(5)
	loops[1].polledRound = 5 // it is there, and not back
	loops[1].pollRuntime()
	if g.pollRuntimeAt.Load() != 5 {
		t.Error("a round ended that nobody has come back from")
	}
	before := monotonic()
	loops[0].pollRuntime()
	if next := g.pollRuntimeAt.Load(); next < before+pollRuntimeNanos {
		t.Errorf("the next round is due at %d, after one that ended after %d", next, before)
	}
	ended := g.pollRuntimeAt.Load()
	loops[0].pollRuntime()
	if g.pollRuntimeAt.Load() != ended {
		t.Error("a loop polled before its time")
	}
}
