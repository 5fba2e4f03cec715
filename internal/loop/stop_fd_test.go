//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Stop: nothing of a group is left behind it, and it always returns.

package loop

import (
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// The descriptors of a group are closed when Stop returns, not soon after.
func TestStopClosesDescriptors(t *testing.T) {
	before := openFiles()
	for range 100 {
		g, err := NewGroup(Config{Loops: 2})
		if err != nil {
			t.Fatal(err)
		}
		g.Start()
		stopGroup(t, g)
		if now := openFiles(); now > before { // what others have forgotten may be closed meanwhile
			t.Fatalf("%d descriptors were open before, %d are after Stop", before, now)
		}
	}
}

// A group that was never started can be stopped.
func TestStopWithoutStart(t *testing.T) {
	before := openFiles()
	for _, portable := range []bool{false, true} {
		g, err := NewGroup(Config{Loops: 2, Portable: portable})
		if err != nil {
			t.Fatal(err)
		}
		stopGroup(t, g)
		if g.Next().Go(func(*Worker) {}) {
			t.Error("a stopped group takes functions")
		}
	}
	if now := openFiles(); now > before {
		t.Errorf("%d descriptors were open before, %d are after", before, now)
	}
}

// Whatever streams and functions are doing, Stop ends it.
func TestStopEndsEverything(t *testing.T) {
	g := newGroup(t, Config{Loops: 2, MaxWorkers: 12})
	r := newRand(t)
	var checks []func()
	for _, l := range g.Loops() {
		ends := make(chan error, 16)
		for _, does := range []string{"rests", "reads", "reads under the lease", "writes", "gives way", "reads as a goroutine"} {
			k, inside := &task{}, make(chan struct{})
			k.serve = stopSubject(k, does, inside, ends)
			send(t, open(t, l, k), "go")
			simnet.Receive(t, inside, "a stream that "+does)
		}
		k := &acceptor{accepted: make(chan int, 1)}
		listening := sys.Addr{IP: netip.MustParseAddrPort(k.listen(t, l))}
		inside := make(chan struct{}, 2)
		l.Go(func(w *Worker) {
			var s Stream
			inside <- struct{}{}
			ends <- s.Sleep(w, 3_600_000)
			ends <- s.Connect(w, listening, 0) // nothing new any more
			ends <- s.Sleep(w, 3_600_000)
		})
		full := fullListener(t)
		l.Go(func(w *Worker) {
			var s Stream
			inside <- struct{}{}
			ends <- s.Connect(w, full, 0)
		})
		simnet.Receive(t, inside, "the sleeper")
		simnet.Receive(t, inside, "the one that connects")
		checks = append(checks, func() {
			for range 9 {
				if err := simnet.Receive(t, ends, "what Stop ended"); err != ErrClosed {
					t.Errorf("Stop ended something with %v", err)
				}
			}
		})
	}
	for range r.IntN(3) {
		runtime.Gosched()
	}
	stopGroup(t, g)
	for _, check := range checks {
		check()
	}
	for _, l := range g.Loops() {
		if l.Streams() != l.orphans || l.suspended != 0 || l.spares != nil {
			t.Errorf("%d streams, %d suspended workers, spares %v are left", l.Streams(), l.suspended, l.spares)
		}
		if l.Go(func(*Worker) {}) || l.Post(func(*Loop) {}) || l.Goroutine(func(*Worker) {}) {
			t.Error("a stopped loop takes work")
		}
	}
}

// Stop does not wait for the handlers without a loop, also when no other may begin beside them and
// streams wait for that.
func TestStopWhileNoHandlerMayBegin(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	lost, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	k := &task{}
	k.serve = func(w *Worker) {
		defer close(done)
		w.Begin(&k.Stream)
		takeAway(t, l)
		close(lost)
		<-release
		w.End()
		k.giveBack(func(Task) { k.Close() })
	}
	send(t, open(t, l, k), "go")
	simnet.Receive(t, lost, "the takeover")
	next := &task{serve: func(*Worker) { t.Error("another handler began") }}
	send(t, open(t, l, next), "go")
	simnet.Eventually(t, "the other stream to wait", func() bool { return backlogLen(t, l) == 1 })
	stopGroup(t, g)
	close(release)
	simnet.Receive(t, done, "the late handler")
}

// stopSubject serves a stream in one of the ways in which Stop may find it, and
// sends how it ended, unless that is at rest.
func stopSubject(k *task, does string, inside chan struct{}, ends chan error) func(*Worker) {
	return func(w *Worker) {
		var b [8]byte
		_, _ = k.TryRead(b[:])
		switch does {
		case "rests":
			k.Rest(0, false)
			close(inside)
		case "reads":
			close(inside)
			_, err := k.Read(b[:])
			ends <- err
			k.Close()
		case "reads under the lease":
			w.Begin(&k.Stream)
			defer k.end(w)
			close(inside)
			_, err := k.Read(b[:])
			ends <- err
		case "writes":
			close(inside)
			_, err := k.Write(make([]byte, 4<<20))
			ends <- err
			k.Close()
		case "gives way":
			close(inside)
			for !k.Failed() {
				w.giveWay()
			}
			ends <- ErrClosed
			k.Close()
		case "reads as a goroutine":
			w.Begin(&k.Stream)
			defer k.end(w)
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := k.Read(b[:])
				ends <- err
			})
			close(inside)
			wg.Wait() // the loop is lost meanwhile
		}
	}
}

// fullListener returns an address where a connection is neither accepted nor
// refused.
func fullListener(t *testing.T) sys.Addr {
	t.Helper()
	fds, at, err := sys.Listen(loopback, sys.Listening{Backlog: 0, Sockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sys.Close(fds[0]) })
	for waiting := 0; waiting < 3; { // one or two may only be slow
		client, waits, err := sys.ConnectFrom(sys.Addr{}, at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { sys.Close(client) })
		if waits && !connects(client) {
			waiting++
		}
	}
	return at
}

// connects reports whether a connection under way is made soon.
func connects(fd int) bool {
	for began := time.Now(); time.Since(began) < 30*time.Millisecond; runtime.Gosched() {
		if _, err := sys.PeerAddr(fd); err == nil {
			return true
		}
	}
	return false
}

// Stop does not wait for a handler that lost its loop. The handler finds its stream cut and nobody
// to give it back to, and the last such handler closes the poller.
func TestStopLeavesLateHandlersBehind(t *testing.T) {
	checkLeaks(t)
	g, err := NewGroup(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	l := g.Next()
	const handlers = 3
	release, back := make(chan struct{}), make(chan bool, handlers)
	var peers []net.Conn
	for range handlers {
		k, blocked := &task{}, make(chan struct{})
		k.serve = func(w *Worker) {
			w.Begin(&k.Stream)
			close(blocked)
			<-release
			var b [8]byte
			_, _ = k.TryRead(b[:])
			if _, err := k.Read(b[:]); err != ErrClosed {
				t.Errorf("the stream of a late handler gave %v", err)
			}
			if w.End() {
				t.Error("a handler believes that it has the loop")
			}
			returned := k.Return(func(Task) { t.Error("the stream went back to a loop that has ended") })
			if !returned {
				k.Abandon()
			}
			back <- returned
		}
		peer := open(t, l, k)
		send(t, peer, "go")
		peers = append(peers, peer)
		simnet.Receive(t, blocked, "the handler to block")
		onLoop(t, l, func(*Loop) any { return nil })
	}
	stopGroup(t, g)
	for _, peer := range peers {
		_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the peer of a late handler reads %v", err)
		}
	}
	close(release)
	for range handlers {
		if simnet.Receive(t, back, "the handlers to return") {
			t.Error("a stream was taken back by a loop that has ended")
		}
	}
	if n := l.refs.Load(); n < 0 {
		t.Errorf("the poller is referred to %d times", n)
	}
}

// Everything posted before the end runs, and nothing is accepted and forgotten.
func TestStopLosesNoMessages(t *testing.T) {
	for range 50 {
		g := newGroup(t, Config{Loops: 1})
		l := g.Next()
		const posters = 4
		var posted [posters]int
		var ran [posters]atomic.Int64
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range posters {
			wg.Go(func() {
				<-start
				for l.Post(func(*Loop) { ran[i].Add(1) }) && l.Go(func(*Worker) { ran[i].Add(1) }) {
					for posted[i]++; ran[i].Load() < int64(2*posted[i]-100); {
						runtime.Gosched() // no faster than the loop
					}
				}
			})
		}
		close(start)
		for range 100 {
			runtime.Gosched()
		}
		stopGroup(t, g)
		wg.Wait()
		for i := range posters {
			// The last Post may have been taken and its Go refused.
			if n := ran[i].Load() - int64(2*posted[i]); n < 0 || n > 1 {
				t.Fatalf("%d times two things were posted, %d have run", posted[i], ran[i].Load())
			}
		}
	}
}

// Messages that create messages, and functions that create functions, end with the group.
func TestStopEndsWhatGoesOnAndOn(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	over := make(chan struct{}, 2)
	var message func(*Loop)
	message = func(*Loop) {
		if !l.Post(message) {
			over <- struct{}{}
		}
	}
	var function func(*Worker)
	function = func(*Worker) {
		if !l.Go(function) {
			over <- struct{}{}
		}
	}
	l.Post(message)
	l.Go(function)
	stopGroup(t, g)
	simnet.Receive(t, over, "the first to end")
	simnet.Receive(t, over, "the second to end")
}
