//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// The poller on macOS and BSD: what does not show to those who only wait. On Linux it runs over a
// model of kqueue.

package loop

import (
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// polled polls p and returns the kernel's answer.
func polled(p *poller) sys.Errno {
	var events [1]sys.Kevent
	_, e := sys.KqueueWait(p.set, events[:])
	return e
}

func openPoller(t *testing.T) *poller {
	t.Helper()
	p := new(poller)
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

// next polls until there is an event, and returns it.
func (p *poller) expect(t *testing.T, token uint64, bits uint32) {
	t.Helper()
	simnet.Eventually(t, "an event", func() bool { return p.poll(maxEvents) })
	index, gen, got, ok := p.event()
	if !ok || uint64(gen)<<32|uint64(index) != token || got != bits {
		t.Errorf("got bits %b of %d.%d, want %b of token %x", got, index, gen, bits, token)
	}
	p.nothing(t)
}

func (p *poller) nothing(t *testing.T) {
	t.Helper()
	if _, _, bits, ok := p.event(); ok {
		t.Errorf("there is an event of bits %b", bits)
	}
	if p.poll(maxEvents) {
		_, _, bits, _ := p.event()
		t.Errorf("there are events, the first of bits %b", bits)
	}
}

// Input is reported at edges, output once for each time it is asked for, each on its
// own, and a hang-up with what arrived before it.
func TestKqueueEvents(t *testing.T) {
	checkLeaks(t)
	p := openPoller(t)
	fd, peer := pair(t)
	defer sys.Close(fd)
	const token, moved = 5<<32 | 3, 6<<32 | 9
	if err := p.add(fd, token); err != nil {
		t.Fatal(err)
	}
	p.nothing(t)
	send(t, peer, "x")
	p.expect(t, token, sys.In)
	if err := p.wantOutput(fd, token); err != nil {
		t.Fatal(err)
	}
	p.expect(t, token, sys.Out)
	sys.Send(fd, []byte("y")) // room is taken, and made
	if _, err := peer.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	p.nothing(t)
	if err := p.move(fd, moved, false); err != nil {
		t.Fatal(err)
	}
	p.expect(t, moved, sys.In) // it is still there
	send(t, peer, "z")
	_ = peer.Close()
	p.expect(t, moved, sys.In|sys.PeerGone)
	if n, e := sys.Recv(fd, make([]byte, 8)); n != 2 || e != 0 {
		t.Errorf("behind the hang-up %d bytes were read, %v", n, e)
	}
}

// A moved stream that waits for output is told of it under its new token.
func TestKqueueMovesOutput(t *testing.T) {
	p := openPoller(t)
	fd, _ := pair(t)
	defer sys.Close(fd)
	if err := p.add(fd, 1); err != nil {
		t.Fatal(err)
	}
	if err := p.wantOutput(fd, 1); err != nil {
		t.Fatal(err)
	}
	if err := p.move(fd, 2, true); err != nil {
		t.Fatal(err)
	}
	p.expect(t, 2, sys.Out)
}

// A listener is reported as long as connections are queued, but not when paused.
func TestKqueueListener(t *testing.T) {
	p := openPoller(t)
	fds, at, err := sys.Listen(loopback, sys.Listening{Backlog: 8, Sockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(fds[0])
	if err := p.addAccept(fds[0], 7); err != nil {
		t.Fatal(err)
	}
	client, _, err := sys.ConnectFrom(sys.Addr{}, at)
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(client)
	for range 2 {
		simnet.Eventually(t, "the connection", func() bool { return p.poll(maxEvents) })
	}
	p.event()
	p.pauseAccept(fds[0], 7)
	p.nothing(t)
	p.resumeAccept(fds[0], 7)
	simnet.Eventually(t, "the connection", func() bool { return p.poll(maxEvents) })
	if index, gen, _, _ := p.event(); index != 7 || gen != 0 {
		t.Errorf("it is reported for %d.%d", index, gen)
	}
}

// parkedSets watches a set only while its loop is parked, and once: the kqueue waiter has nothing to do
// with the events of a busy loop.
func TestLookoutIsQuietWhileTheLoopIsBusy(t *testing.T) {
	p := openPoller(t)
	fd, peer := pair(t)
	defer sys.Close(fd)
	if err := p.add(fd, 7); err != nil {
		t.Fatal(err)
	}
	// Another gate shows what this one would be told.
	watched := func() bool {
		var events [1]sys.Kevent
		n, _ := sys.KqueueWait(p.kqueueWaiter.parkedSets, events[:])
		return n > 0
	}
	quiet := func(when string) {
		t.Helper()
		send(t, peer, "x")
		if !p.poll(maxEvents) {
			t.Errorf("%s the loop was not told", when)
		}
		if watched() || p.armed.Load() || len(p.wakeup) > 0 {
			t.Errorf("%s the kqueue waiter had something to do", when)
		}
	}
	quiet("before any park")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.park(0, 0)
	}()
	simnet.Eventually(t, "the loop to park", p.armed.Load)
	send(t, peer, "x")
	simnet.Receive(t, ended, "the park to end")
	quiet("after a park")
	p.park(0, 1)
	quiet("after a park that timed out")
	p.wake()
	p.park(0, 0)
	quiet("after a park that was ended from outside")
}

// An event that is there before the park ends it at once.
func TestLookoutSeesWhatCameBefore(t *testing.T) {
	p := openPoller(t)
	fd, peer := pair(t)
	defer sys.Close(fd)
	if err := p.add(fd, 7); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		send(t, peer, "x")
		p.park(0, 0)
		p.expect(t, 7, sys.In)
	}
}

// The kqueue waiter exists as long as there are loops, and is made anew each time; it wakes the loop that
// is meant, and no other.
func TestLookoutComesAndGoes(t *testing.T) {
	checkLeaks(t)
	for range 20 {
		var ps [3]poller
		for i := range ps {
			if err := ps[i].open(); err != nil {
				t.Fatal(err)
			}
		}
		fd, peer := pair(t)
		if err := ps[1].add(fd, 7); err != nil {
			t.Fatal(err)
		}
		ends := make(chan int)
		for i := range ps {
			go func() { ps[i].park(0, 0); ends <- i }()
		}
		send(t, peer, "x")
		if first := simnet.Receive(t, ends, "a park to end"); first != 1 {
			t.Errorf("the event of another loop woke loop %d", first)
		}
		select {
		case i := <-ends:
			t.Errorf("loop %d was woken by nothing", i)
		case <-time.After(time.Millisecond):
		}
		ps[0].wake()
		ps[2].wake()
		simnet.Receive(t, ends, "a park to end")
		simnet.Receive(t, ends, "a park to end")
		sys.Close(fd)
		_ = peer.Close()
		for i := range ps {
			ps[i].close()
		}
	}
	kqueueWaiterLock.Lock()
	defer kqueueWaiterLock.Unlock()
	if theKqueueWaiter != nil {
		t.Error("the kqueue waiter stayed")
	}
}
