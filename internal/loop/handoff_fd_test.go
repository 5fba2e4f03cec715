//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// What is known about a handler from outside: which goroutine holds the lease, and how long a
// handed-off handler has taken.

package loop

import (
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// The lease names the goroutine that runs under it, even if another worker did before: one before
// or after a wait, or one that has lost the loop.
func TestLeaseSaysWhoseItIs(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	done := make(chan struct{}, 2)
	mine := func(w *Worker, when string) {
		if l.lease.g.Load() != sys.G() && l.lease.word.Load() == w.held {
			t.Errorf("%s: the lease is said to be another goroutine's", when)
		}
	}
	for range 3 {
		a, b := &task{}, &task{}
		a.serve = func(w *Worker) {
			w.Begin(&a.Stream)
			mine(w, "the first")
			var p [8]byte
			for n := 0; n < 2; { // it waits for what comes when the other one has run
				m, err := a.Read(p[:])
				if n += m; err != nil {
					t.Error(err)
					break
				}
				if n == 1 {
					done <- struct{}{}
				}
			}
			mine(w, "behind a wait")
			a.end(w)
			done <- struct{}{}
		}
		b.serve = func(w *Worker) {
			var p [8]byte
			_, _ = b.TryRead(p[:])
			w.Begin(&b.Stream)
			mine(w, "the second")
			for before := l.Tally(TakenOver); l.Tally(TakenOver) == before; { // until it loses the loop
			}
			b.end(w)
			done <- struct{}{}
		}
		peerA, peerB := open(t, l, a), open(t, l, b)
		send(t, peerA, "1")
		simnet.Receive(t, done, "the first to begin")
		simnet.Eventually(t, "it to wait", func() bool { return a.input.Load() != nil })
		send(t, peerB, "2")
		simnet.Receive(t, done, "the second to lose the loop")
		send(t, peerA, "3")
		simnet.Receive(t, done, "the first to end")
	}
}

// A handler that was handed off reports how long it has taken: it alone, without earlier handlers
// on its goroutine and without the time that it waited for its peer; and whether it asked to leave
// the loop.
func TestHandedOffTellsWhatItTook(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k := &task{}
	type run struct {
		before, worked, waited, took int64
		asked                        bool
	}
	runs := make(chan run, 1)
	waits := make(chan struct{}, 1)
	k.serve = func(w *Worker) {
		var p [8]byte
		if n, _ := k.TryRead(p[:]); n == 0 {
			k.Rest(0, false)
			return
		}
		w.Key = 7
		w.HandOff(&k.Stream, func(w *Worker) {
			r := run{before: w.took}
			w.Begin(&k.Stream)
			began := monotonic()
			for p[0] == 'b' && monotonic()-began < 2*blockNanos {
			}
			r.worked = monotonic() - began
			if p[0] == 'w' {
				waits <- struct{}{}
				began = monotonic()
				if _, err := k.Read(p[1:]); err != nil {
					t.Error(err)
				}
				r.waited = monotonic() - began
			}
			if p[0] == 'a' {
				w.GiveUp()
			}
			w.End()
			w.Begin(&k.Stream) // what the handler has left to be called
			w.End()
			r.took, r.asked = w.took, w.gaveUp
			k.giveBack(func(Task) { k.Rest(0, true) })
			runs <- r
		})
	}
	peer := open(t, l, k)
	send(t, peer, "b")
	if r := simnet.Receive(t, runs, "one that blocks"); r.before != 0 || r.took < r.worked {
		t.Errorf("it is said to have taken %d, before it %d, and worked for %d", r.took, r.before, r.worked)
	}
	if !onLoop(t, l, func(l *Loop) bool { e := l.predictor.find(7); return e != nil && e.handedOff }) {
		t.Error("the loop has not learned of it")
	}
	send(t, peer, "w")
	simnet.Receive(t, waits, "one that waits")
	began := monotonic()
	simnet.Eventually(t, "time to pass", func() bool { return k.input.Load() != nil && monotonic()-began > 50*1000*1000 })
	send(t, peer, "!")
	if r := simnet.Receive(t, runs, "one that waits"); r.before != 0 || r.took >= r.waited {
		t.Errorf("it is said to have taken %d, before it %d, and waited for %d", r.took, r.before, r.waited)
	}
	for _, asks := range []bool{true, false} {
		if send(t, peer, map[bool]string{true: "a", false: "n"}[asks]); simnet.Receive(t, runs, "another").asked != asks {
			t.Errorf("it is not said whether it wanted to leave the loop, which is %v", asks)
		}
	}
}
