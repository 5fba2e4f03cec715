//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Shared streams, gates and seats.

package loop

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// One stream offered and claimed over and over by many, while its loop tries to kill it:
// it is used by one at a time, and closed once.
func TestSharedStreamHasOneOwner(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, stopped := new(task), make(chan struct{})
	k.stop = func() {
		k.Close()
		close(stopped)
	}
	peer := open(t, l, k)
	onLoop(t, l, func(*Loop) any {
		k.Share()
		return nil
	})
	if !k.Offer() {
		t.Fatal("a quiet stream was not accepted")
	}
	var users, claims atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 2000 {
				if !k.Claim() {
					continue
				}
				claims.Add(1)
				if users.Add(1) != 1 {
					t.Error("two users at once")
				}
				users.Add(-1)
				if !k.Offer() {
					t.Error("it was refused")
				}
			}
		})
	}
	group.Wait()
	if claims.Load() == 0 {
		t.Error("nobody has got it")
	}
	send(t, peer, "x")
	simnet.Receive(t, stopped, "the loop to close the stream")
	if k.Claim() {
		t.Error("a dead stream was claimed")
	}
	if n := onLoop(t, l, func(l *Loop) int { return l.orphans + l.Streams() }); n != 0 {
		t.Errorf("%d streams and orphans are left", n)
	}
}

// What came before a stream became idle is not lost.
func TestOfferRefusesWhatHasHappened(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k := new(task)
	peer := open(t, l, k)
	onLoop(t, l, func(*Loop) any {
		k.Share()
		return nil
	})
	send(t, peer, "x")
	simnet.Eventually(t, "the event", func() bool { return k.input.Load() == ready })
	if k.Offer() {
		t.Fatal("a stream with input was accepted")
	}
	var b [1]byte
	if k.NoInputNoted(b[:]) || b[0] != 'x' {
		t.Errorf("it is quiet, and %q was read", b)
	}
	if !k.NoInputNoted(b[:]) || !k.Offer() || !k.Claim() {
		t.Error("a stream that was read is not accepted")
	}
	send(t, peer, "y")
	simnet.Eventually(t, "the event", func() bool { return k.input.Load() == ready })
	k.drained = false // as if it had been read just before the event was reported
	if n, err := k.TryRead(b[:]); n != 1 || err != nil || k.Offer() {
		t.Errorf("%d, %v, and accepted before anyone asked the kernel", n, err)
	}
	if !k.ProbeNoBytes() || !k.Offer() || !k.Claim() {
		t.Error("a stream is not accepted that was read when the event came late")
	}
	send(t, peer, "z")
	if simnet.Eventually(t, "the event", func() bool { return k.input.Load() == ready }); k.ProbeNoBytes() {
		t.Error("a stream with input is as it was")
	}
	if !k.Offer() {
		t.Error("it was refused")
	}
	_ = peer.Close()
	simnet.Eventually(t, "the stream to be closed", func() bool { return onLoop(t, l, (*Loop).Streams) == 0 })
}

// An event that the loop has fetched may be older than what a user has read meanwhile: it is
// no reason to close a stream that is idle by then. What has come since is.
func TestLateEventsKillNobody(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	for _, alive := range []bool{true, false} {
		first, shared := new(task), new(task)
		stopped, served := make(chan struct{}), make(chan bool, 1)
		shared.stop = func() {
			shared.Close()
			close(stopped)
		}
		a, b := open(t, l, first), open(t, l, shared)
		first.serve = func(*Worker) { // the event of shared has been fetched, with that of first
			index, gen, ahead := l.poller.ahead(0)
			var p [8]byte
			shared.drained = false
			n, err := shared.TryRead(p[:])
			offered := shared.Offer()
			if !alive {
				send(t, b, "z")
			}
			first.Close()
			served <- ahead && index == shared.index && gen == shared.gen && n == 1 && err == nil && offered
		}
		onLoop(t, l, func(*Loop) any {
			shared.Share()
			send(t, a, "x")
			send(t, b, "y")
			return nil
		})
		if !simnet.Receive(t, served, "the first event") {
			t.Fatal("both events were not fetched at once, or the second was not there to be read")
		}
		if !alive {
			simnet.Receive(t, stopped, "the loop to close the stream")
			continue
		}
		onLoop(t, l, func(*Loop) any { return nil })
		if !shared.Claim() {
			t.Error("a stream on which nothing had happened was closed")
			continue
		}
		shared.Hand(func(s Task) { s.(*task).Close() })
	}
}

// A claim that comes while the loop asks the kernel about the stream succeeds when the kernel has
// nothing, and only then.
func TestClaimAwaitsTheLoop(t *testing.T) {
	for found, to := range map[bool]uint32{false: idle, true: dead} {
		var s Stream
		s.signs.Store(probed)
		begun, claimed := make(chan struct{}), make(chan bool, 1)
		go func() {
			close(begun)
			claimed <- s.Claim()
		}()
		simnet.Receive(t, begun, "the claim")
		for range 100 {
			runtime.Gosched()
		}
		if len(claimed) > 0 {
			t.Fatal("it was decided before the loop has")
		}
		if !s.casPhase(probed, to) {
			t.Fatal("the loop has lost it")
		}
		if simnet.Receive(t, claimed, "the claim") == found {
			t.Errorf("something was found: %v, and it was claimed: %v", found, found)
		}
	}
}

// A stream of one loop moves to another together with what has happened on it.
func TestMoveKeepsWhatHappened(t *testing.T) {
	g := newGroup(t, Config{Loops: 2})
	from, to := g.Loops()[0], g.Loops()[1]
	k, heir := new(task), new(task)
	peer := open(t, from, k)
	onLoop(t, from, func(*Loop) any {
		k.Share()
		return nil
	})
	send(t, peer, "before")
	got := make(chan string, 2)
	to.Go(func(w *Worker) {
		if err := heir.Move(w, &k.Stream, heir, func(s Task) { s.(*task).Close() }); err != nil {
			t.Error(err)
		}
		var b [16]byte
		for range 2 {
			n, err := heir.Read(b[:])
			if err != nil {
				t.Error(err)
			}
			got <- string(b[:n])
		}
		heir.Close()
	})
	if s := simnet.Receive(t, got, "what came before"); s != "before" {
		t.Errorf("%q", s)
	}
	send(t, peer, "behind")
	if s := simnet.Receive(t, got, "what came behind"); s != "behind" {
		t.Errorf("%q", s)
	}
	simnet.Eventually(t, "both to be closed", func() bool {
		return onLoop(t, from, (*Loop).Streams)+onLoop(t, to, (*Loop).Streams) == 0
	})
}

func TestGate(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	for _, onLoop := range []bool{false, true} {
		wait := func(gate *Gate, ms int64) chan error {
			ended := make(chan error, 1)
			if onLoop {
				l.Go(func(w *Worker) { ended <- gate.Wait(w, ms) })
			} else {
				go func() { ended <- gate.Wait(nil, ms) }()
			}
			return ended
		}
		var opened, cancelled, late, early Gate
		a, b, c := wait(&opened, 0), wait(&cancelled, 0), wait(&late, 5)
		opened.Open()
		cancelled.Cancel()
		early.Open()
		early.Cancel()
		if err := simnet.Receive(t, a, "the gate to open"); err != nil {
			t.Error(err)
		}
		if err := simnet.Receive(t, b, "the wait to be cancelled"); err != ErrOver {
			t.Error(err)
		}
		if err := simnet.Receive(t, c, "the time-out"); err != ErrTimeout {
			t.Error(err)
		}
		if err := simnet.Receive(t, wait(&early, 0), "an open gate"); err != nil {
			t.Error(err)
		}
	}
}

// seated is a context with a seat.
type seated struct {
	context.Context
	seat *Seat
}

func (c seated) Value(key any) any {
	if IsSeat(key) {
		return c.seat
	}
	return c.Context.Value(key)
}

func TestSeated(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	base, cancel := context.WithCancel(t.Context())
	defer cancel()
	var s Stream
	seat := new(Seat)
	seat.Init(&s, base, nil)
	ctx := seated{base, seat}
	derived, cancelDerived := context.WithCancel(ctx)
	defer cancelDerived()
	if w, _, own := Seated(ctx); w != nil || own != seat {
		t.Error("an empty seat")
	}
	done := make(chan error, 1)
	l.Go(func(w *Worker) {
		seat.Set(w)
		w.Begin(&s)
		defer w.End()
		a, follows, own := Seated(ctx)
		b, derivedFollows, derivedOwn := Seated(derived)
		var c *Worker
		var group sync.WaitGroup
		group.Go(func() { c, _, _ = Seated(ctx) })
		group.Wait()
		if a != w || b != w || !follows || derivedFollows || c != nil || own != seat || derivedOwn != nil {
			done <- errors.New("the seat leads to the wrong worker")
			return
		}
		done <- nil
	})
	if err := simnet.Receive(t, done, "the handler"); err != nil {
		t.Error(err)
	}
}
