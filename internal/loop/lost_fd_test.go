//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// A lease that is lost is lost for good, whichever way its worker notices. The tests take the loops
// away themselves, so that it happens each time, at a known point.

package loop

import (
	"io"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// findsOut are the ways in which a handler that has lost its loop may notice. Each reports whether
// it is told that it still has the loop.
var findsOut = map[string]func(w *Worker, k *task) bool{
	"Enter": func(w *Worker, _ *task) bool {
		under, held := w.Enter()
		if held {
			w.Leave(under)
		}
		return held
	},
	"End":        func(w *Worker, _ *task) bool { return w.End() },
	"EndHandler": func(w *Worker, _ *task) bool { return w.EndHandler() },
	"Read": func(w *Worker, k *task) bool {
		k.ReadTimeout = 1
		_, err := k.Read(make([]byte, 1))
		return err != ErrTimeout || !w.Lost()
	},
	"GiveUp": func(w *Worker, _ *task) bool { w.GiveUp(); return !w.Lost() },
	"Watch":  func(w *Worker, k *task) bool { k.Watch(1); return !w.Lost() },
	"a gate": func(w *Worker, _ *task) bool {
		var gate Gate
		return gate.Wait(w, 1) != ErrTimeout || !w.Lost()
	},
	"giving way": func(w *Worker, k *task) bool { k.movedEnough(new(uint32)); return !w.Lost() },
	"Take": func(w *Worker, k *task) bool {
		c := NewConn(&k.Stream)
		err := c.Take()
		c.Leave()
		return err != nil || c.Close() != nil || !w.Lost()
	},
}

// A handler that has lost the loop is always told so, and what it does then is done by a goroutine:
// the loop belongs to another, and goes on. A handler that is told otherwise, once in some hundred
// times, would be a second one on the same loop.
func TestLostIsLost(t *testing.T) {
	const rounds = 100
	for name, finds := range findsOut {
		t.Run(name, func(t *testing.T) {
			g := newCalmGroup(t, Config{Loops: 1})
			l := g.Next()
			believes, ended := 0, make(chan struct{}, 1) // believes is used by one handler at a time
			other := &task{}
			other.serve = func(*Worker) { serveEcho(other) }
			otherPeer := open(t, l, other)
			for range rounds {
				k := &task{}
				k.serve = func(w *Worker) {
					_, _ = k.TryRead(make([]byte, 8))
					w.Begin(&k.Stream)
					takeAway(t, l)
					if finds(w, k) {
						believes++
					}
					if !w.Lost() || w.End() || w.EndHandler() {
						believes++
					}
					if k.state == detached {
						k.giveBack(func(Task) { k.Close() })
					}
					ended <- struct{}{}
				}
				peer := open(t, l, k)
				send(t, peer, "x")
				simnet.Receive(t, ended, "the handler")
				send(t, otherPeer, "y")
				expect(t, otherPeer, "y")
				if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Fatalf("its peer reads %d, %v", n, err)
				}
			}
			if believes > 0 {
				t.Errorf("%d times in %d a handler that had lost its loop was told otherwise", believes, rounds)
			}
			// Streams, orphans and handlers without the loop.
			left := func() [3]int {
				return onLoop(t, l, func(l *Loop) [3]int { return [3]int{l.Streams() - 1, l.orphans, int(l.offLoop.Load())} })
			}
			simnet.Eventually(t, "nothing to be left of them", func() bool { return left() == [3]int{} })
			if n := l.Tally(TakenOver); n != rounds {
				t.Errorf("%d handlers in %d are counted as taken over", n, rounds)
			}
		})
	}
}

// A stream that a lost worker gives back goes to the loop once: it is served on, by one worker, and
// there are as many orphans as before.
func TestGivenBackOnce(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	var inside, returns atomic.Int32
	k, most := &task{}, int32(0)
	k.serve = func(w *Worker) {
		var b [1]byte
		if n, err := k.TryRead(b[:]); err != nil {
			k.Close()
			return
		} else if n == 0 {
			k.Rest(0, false)
			return
		}
		most = max(most, inside.Add(1))
		w.Begin(&k.Stream)
		takeAway(t, l)
		_, _ = k.Write(b[:])
		if w.End() {
			t.Error("it has the loop")
		}
		inside.Add(-1)
		k.giveBack(func(Task) { returns.Add(1); k.Rest(0, true) })
	}
	peer := open(t, l, k)
	const rounds = 100
	for n := range int32(rounds) {
		send(t, peer, "z")
		expect(t, peer, "z")
		simnet.Eventually(t, "it to be given back", func() bool { return returns.Load() > n })
		if got := onLoop(t, l, func(l *Loop) int { return l.orphans }); got != 0 {
			t.Fatalf("%d orphans are left", got)
		}
	}
	if n := returns.Load(); n != rounds || most != 1 {
		t.Errorf("it was given back %d times for %d, and served by %d at once", n, rounds, most)
	}
}

// One look of the watchdog at a handler that waits is enough, however short the wait: by a second
// look it would be over, and go unnoticed. This holds for every such wait, except one that is rare
// among many handlers: that is looked at twice within a moment.
func TestOneLookFindsWhoWaits(t *testing.T) {
	if !sys.FastG {
		t.Skip("nobody can know who waits")
	}
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	var dog watchdog
	dog.configure(g.Loops())
	const key = 7
	for n := range 3 {
		release, back := make(chan struct{}), make(chan bool, 1)
		l.Go(func(w *Worker) {
			w.Key = key
			w.Begin(nil)
			<-release
			back <- w.End()
		})
		simnet.Eventually(t, "the handler to wait", func() bool {
			return l.lease.word.Load()&inHandler != 0 && sys.Waiting(l.lease.g.Load())
		})
		if before := dog.watcher.Looks(); !dog.watch(g.Loops()) || dog.watcher.Looks()-before != 1 {
			t.Errorf("handler %d: found after %d looks", n, dog.watcher.Looks()-before)
		}
		if taken := l.Tally(TakenOver); taken != uint64(n+1) {
			t.Errorf("handler %d: %d were taken over", n, taken)
		}
		close(release)
		if simnet.Receive(t, back, "the handler") {
			t.Errorf("handler %d keeps the loop", n)
		}
	}
	if !onLoop(t, l, func(l *Loop) bool { return l.Predicts() && l.predictor.find(key).handedOff }) {
		t.Error("the loop has not learned that the kind waits")
	}
}

// A handler that computes is found at the second look, if it is still the same handler.
func TestTwoLooksFindWhoComputes(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	var dog watchdog
	dog.configure(g.Loops())
	var release atomic.Bool
	begun, back := make(chan struct{}), make(chan bool, 1)
	l.Go(func(w *Worker) {
		w.Begin(nil)
		close(begun)
		for !release.Load() {
		}
		back <- w.End()
	})
	simnet.Receive(t, begun, "the handler")
	if !dog.watch(g.Loops()) || dog.watcher.Looks() != 1+stallLooks {
		t.Errorf("found after %d looks", dog.watcher.Looks())
	}
	release.Store(true)
	if simnet.Receive(t, back, "the handler") {
		t.Error("it keeps the loop")
	}
}
