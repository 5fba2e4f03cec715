//go:build linux && !galekqueue

// The poller on Linux: what does not show to those who only wait.

package loop

import (
	"encoding/binary"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// polled polls p and returns the kernel's answer.
func polled(p *poller) sys.Errno {
	var events [1]sys.EpollEvent
	_, e := sys.EpollWait(p.set, events[:])
	return e
}

// Many messages to a parked loop are one wake-up.
func TestPostWakesAParkedLoopOnce(t *testing.T) {
	l, err := newLoop(&Group{config: Config{Loops: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	l.parked.Store(true)
	for range 3 {
		if !l.Post(func(*Loop) {}) {
			t.Fatal("the loop has ended")
		}
	}
	var count [8]byte
	if _, err := syscall.Read(l.poller.wakeFD, count[:]); err != nil {
		t.Fatal(err)
	}
	if n := binary.NativeEndian.Uint64(count[:]); n != 1 {
		t.Errorf("three messages woke the loop %d times", n)
	}
}

// Only an armed gate lets an event through, and only one: the events of a busy loop wake nothing in
// Go's own poller.
func TestGateIsQuietWhileTheLoopIsBusy(t *testing.T) {
	l, err := newLoop(&Group{config: Config{Loops: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	fd, peer := pair(t)
	defer sys.Close(fd)
	p := &l.poller
	if err := p.add(fd, 7); err != nil {
		t.Fatal(err)
	}
	through := func() int {
		var events [4]sys.EpollEvent
		n, _ := sys.EpollWait(p.gate, events[:])
		return n
	}
	for range 3 {
		send(t, peer, "x")
		if n := through(); n != 0 {
			t.Fatalf("the gate let %d events through that was not armed", n)
		}
		if !p.poll(maxEvents) {
			t.Fatal("the loop itself was not told")
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.park(0, 0)
	}()
	send(t, peer, "x")
	simnet.Receive(t, done, "the park to end")
	send(t, peer, "x")
	if n := through(); n != 0 {
		t.Errorf("after a park the gate let %d events through", n)
	}
	p.poll(maxEvents)
	p.park(0, 1) // until its deadline
	send(t, peer, "x")
	if n := through(); n != 0 {
		t.Errorf("after a park that timed out the gate let %d events through", n)
	}
}

// The loop's own wake-ups end in the poller.
func TestWakeIsNoEvent(t *testing.T) {
	var p poller
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.wake()
	p.park(100, 0)
	if !p.poll(maxEvents) {
		t.Error("the loop was woken by nothing")
	}
	var none table
	index, gen, _, ok := p.event()
	if !ok || none.find(index, gen) != nil {
		t.Error("its own wake-up is for a stream")
	}
	p.stray(index, gen)
	if p.poll(maxEvents) {
		t.Error("a wake-up was reported twice")
	}
}
