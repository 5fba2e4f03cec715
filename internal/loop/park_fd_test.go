//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Parking: a loop with nothing to do is woken by what it waits for, once.

package loop

import (
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// A message that came when the loop was not parked yet, and so woke nobody, keeps
// it from parking.
func TestMessageBeforeParkingIsSeen(t *testing.T) {
	g := &Group{config: Config{Loops: 1}, watchdog: newWatchdog()}
	l, err := newLoop(g)
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	l.Post(func(*Loop) {})
	parked := make(chan struct{})
	go func() {
		defer close(parked)
		l.park()
	}()
	simnet.Receive(t, parked, "the loop to look at its inbox")
}

// A parked loop is woken by a message, by an event and by a deadline, each as the first thing after
// a while.
func TestParkedLoopIsWoken(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, served, expired := &task{}, make(chan struct{}, 1), make(chan struct{}, 1)
	k.serve = func(*Worker) {
		_, _ = k.TryRead(make([]byte, 8))
		served <- struct{}{}
		k.Rest(l.Tick()+10, false)
	}
	k.expire = func() {
		expired <- struct{}{}
		k.Rest(0, false)
	}
	peer := open(t, l, k)
	parked := func() { simnet.Eventually(t, "the loop to park", l.parked.Load) }
	for range 50 {
		parked()
		onLoop(t, l, func(*Loop) any { return nil })
		parked()
		send(t, peer, "x")
		simnet.Receive(t, served, "the event")
		simnet.Receive(t, expired, "the deadline")
	}
}

// Messages and events that come as the loop parks are not missed.
func TestNothingIsMissedWhileParking(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, served := &task{}, make(chan struct{}, 1)
	k.serve = func(*Worker) {
		if n, _ := k.TryRead(make([]byte, 8)); n > 0 {
			served <- struct{}{}
		}
		k.Rest(0, false)
	}
	peer, r := open(t, l, k), newRand(t)
	for range 3000 {
		// From no pause, when the loop still spins, to one that lets it park.
		for pause := time.Now().Add(time.Duration(r.IntN(60)) * time.Microsecond); time.Now().Before(pause); {
		}
		if r.IntN(2) == 0 {
			onLoop(t, l, func(*Loop) any { return nil })
		} else {
			send(t, peer, "x")
			simnet.Receive(t, served, "the event")
		}
	}
}

// The deadline of a park is set anew for each limit, and removed.
func TestParkKeepsItsLimits(t *testing.T) {
	l, err := newLoop(&Group{config: Config{Loops: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	p := &l.poller
	for _, ms := range []int64{5, 5, 20, 1} {
		began := time.Now()
		p.park(100, 100+ms)
		if took := time.Since(began); took < time.Duration(ms)*time.Millisecond || took > simnet.Patience {
			t.Errorf("a park of %d ms took %v", ms, took)
		}
	}
	began := time.Now()
	woken := make(chan struct{})
	time.AfterFunc(30*time.Millisecond, func() { p.wake(); close(woken) })
	p.park(100, 0) // the limit of the last one has passed
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("a park without limit ended after %v", took)
	}
	<-woken
}

// The watchdog rests when all loops are parked, and is up again with the first.
func TestWatchdogRests(t *testing.T) {
	g := newGroup(t, Config{Loops: 2})
	l := g.Next()
	asleep := func() bool { return g.watchdog.state.Load() == dogParked }
	for range 3 {
		simnet.Eventually(t, "the watchdog to rest", asleep)
		onLoop(t, l, func(*Loop) any { return nil })
		k := newBlocker()
		peer := open(t, l, &k.task)
		send(t, peer, "b")
		simnet.Receive(t, k.blocked, "the handler to block")
		simnet.Eventually(t, "the watchdog, which was about to rest, perhaps", func() bool { return !asleep() })
		onLoop(t, l, func(*Loop) any { return nil }) // takes a takeover
		k.release <- struct{}{}
		expect(t, peer, "b")
	}
}

// A loop that woke up while the watchdog lay down, and so woke nobody, keeps it
// awake; so does the end.
func TestWatchdogSeesWhoWokeUpBefore(t *testing.T) {
	for _, ends := range []bool{false, true} {
		d, l := newWatchdog(), &Loop{}
		l.parked.Store(ends)
		d.stop.Store(ends)
		rested := make(chan struct{})
		go func() {
			defer close(rested)
			d.park([]*Loop{l})
		}()
		simnet.Receive(t, rested, "the watchdog to get up")
		if d.state.Load() != dogAwake {
			t.Error("it is up and believes that it sleeps")
		}
	}
}
