//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// How the watchdog rests, and which goroutines run beside a busy loop.

package loop

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// asleep waits until the watchdog has nothing to do, and returns how often it has looked so far.
func asleep(t *testing.T, d *watchdog) int {
	t.Helper()
	simnet.Eventually(t, "the dog to lie down", func() bool { return d.state.Load() == dogParked })
	return d.watcher.Looks()
}

// A parked loop is not looked at: the watchdog is a goroutine that waits to be woken.
func TestDogLiesDown(t *testing.T) {
	g := newGroup(t, Config{Loops: 2})
	l := g.Next()
	before := asleep(t, g.watchdog)
	if before < idleLooks {
		t.Errorf("it lay down after %d looks", before)
	}
	began := monotonic()
	simnet.Eventually(t, "the time of some looks to pass", func() bool { return monotonic()-began > 20*watchNanos })
	if after := asleep(t, g.watchdog); after != before {
		t.Errorf("%d looks while every loop was parked", after-before)
	}
	onLoop(t, l, func(*Loop) any { return nil })
	simnet.Eventually(t, "the dog to get up and to lie down again", func() bool { return asleep(t, g.watchdog) > before })
	if after := asleep(t, g.watchdog); after < before+idleLooks {
		t.Errorf("%d looks at a loop that was busy for a moment, at least %d were due", after-before, idleLooks)
	}
}

// Handlers that are handed off begin soon, although the loop goes on, and although nothing else
// would run them.
func TestHandedOffHandlersBeginSoon(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Dispatch: GoroutineAlways})
	l := g.Next()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const many = 20 * maxHandedOffEvents
	tasks := make([]task, many)
	for i := range tasks {
		open(t, l, &tasks[i])
	}
	var begun, waiting, most atomic.Int64
	handed := make(chan struct{})
	onLoop(t, l, func(l *Loop) any {
		for i := range tasks {
			k := &tasks[i]
			k.serve = func(w *Worker) {
				most.Store(max(most.Load(), waiting.Add(1)))
				w.HandOff(&k.Stream, func(w *Worker) {
					waiting.Add(-1)
					if begun.Add(1) == many {
						close(handed)
					}
					w.Begin(&k.Stream)
					w.End()
					k.giveBack(func(Task) { k.Close() })
				})
			}
			l.enqueue(&k.Stream)
		}
		return nil
	})
	simnet.Receive(t, handed, "the handlers to be called")
	if n := most.Load(); n > 4*maxHandedOffEvents {
		t.Errorf("%d of %d handlers had been handed off and not begun", n, many)
	}
}

// A stall costs what it has taken: less where its handler was found waiting than where it was found
// twice.
func TestStallsCostWhatTheyTake(t *testing.T) {
	for _, c := range []struct {
		name string
		hold func(free <-chan struct{})
		cost int64
	}{
		{"waits", func(free <-chan struct{}) { <-free }, waitNanos},
		{"computes", func(free <-chan struct{}) {
			for over := false; !over; {
				select {
				case <-free:
					over = true
				default:
				}
			}
		}, stallNanos},
	} {
		g := newGroup(t, Config{Loops: 1})
		l := g.Next()
		free, begun, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var k task
		open(t, l, &k)
		k.serve = func(w *Worker) {
			defer close(done)
			w.Begin(&k.Stream)
			close(begun)
			c.hold(free)
			w.End()
			k.giveBack(func(Task) { k.Close() })
		}
		onLoop(t, l, func(l *Loop) any { l.enqueue(&k.Stream); return nil })
		simnet.Receive(t, begun, "the handler to begin")
		debt := onLoop(t, l, func(l *Loop) any { return l.predictor.debt })
		close(free)
		simnet.Receive(t, done, "the handler to return")
		if want := c.cost; sys.FastG && debt != want || !sys.FastG && debt != int64(stallNanos) {
			t.Errorf("one that %s has cost %v, want %d", c.name, debt, want)
		}
	}
}

// Where nothing is ever handed off, one look that finds a handler waiting is not enough: a handler
// that waits for a moment keeps the loop.
func TestInlineIsLookedAtTwice(t *testing.T) {
	for dispatch, spacing := range map[Dispatch]uint32{Auto: quickPerBlock, InlineAlways: 0, GoroutineAlways: quickPerBlock} {
		g := newGroup(t, Config{Loops: 1, Dispatch: dispatch})
		asleep(t, g.watchdog)
		if g.watchdog.watcher.WaitSpacing != spacing {
			t.Errorf("dispatch %d: the spacing is %d, want %d", dispatch, g.watchdog.watcher.WaitSpacing, spacing)
		}
	}
}

// TestWatchThreadMayBeAskedAtOnce: any goroutine may, also while the watchdog begins (the race
// detector tells).
func TestWatchThreadMayBeAskedAtOnce(t *testing.T) {
	for range 20 {
		g := newGroup(t, Config{Loops: 1})
		simnet.Eventually(t, "the dog to lie down", func() bool {
			g.WatchThread()
			return g.watchdog.state.Load() == dogParked
		})
	}
}
