//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// The backlog: work that waits for a worker, or for its turn.

package loop

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// occupy makes k keep one worker of the loop suspended until its peer sends something.
func occupy(t *testing.T, l *Loop) (k *task, release func()) {
	t.Helper()
	busy := make(chan struct{}, 1)
	k = &task{}
	k.serve = func(w *Worker) {
		var b [8]byte
		if n, _ := k.TryRead(b[:]); n == 0 {
			k.Rest(0, false)
			return
		}
		busy <- struct{}{}
		_, err := k.Read(b[:])
		if err != nil {
			k.Close()
			return
		}
		k.Rest(0, true)
	}
	peer := open(t, l, k)
	send(t, peer, "begin")
	simnet.Receive(t, busy, "a worker to be busy")
	return k, func() { send(t, peer, "end") }
}

func backlogLen(t *testing.T, l *Loop) int {
	t.Helper()
	return onLoop(t, l, func(l *Loop) int { return l.backlog.len() })
}

// A stream whose last bytes and end arrive while no worker is free must be told of both.
func TestHangUpIsNotLostWhileNoWorkerIsFree(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	got := make(chan error, 2)
	k := &task{}
	k.serve = func(w *Worker) {
		var b [64]byte
		for {
			n, err := k.Read(b[:])
			if err == nil && string(b[:n]) == "bye" {
				continue
			}
			got <- err
			k.Close()
			return
		}
	}
	peer := open(t, l, k)
	_, release := occupy(t, l)
	send(t, peer, "bye")
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	simnet.Eventually(t, "the stream to wait for a worker", func() bool { return backlogLen(t, l) > 0 })
	release()
	if err := simnet.Receive(t, got, "the end of the stream"); err != io.EOF {
		t.Errorf("the stream ended with %v", err)
	}
}

// Two events for one stream at rest are one piece of work.
func TestStreamWaitsForAWorkerOnce(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	served := make(chan string, 10)
	k := &task{}
	k.serve = func(w *Worker) {
		var b [64]byte
		n, _ := k.TryRead(b[:])
		served <- string(b[:n])
		k.Rest(0, false)
	}
	peer := open(t, l, k)
	_, release := occupy(t, l)
	for i := range 5 {
		send(t, peer, "x")
		simnet.Eventually(t, "the stream to wait for a worker", func() bool { return backlogLen(t, l) > 0 })
		if n := backlogLen(t, l); n != 1 {
			t.Fatalf("after %d events, one stream is %d entries of the backlog", i+1, n)
		}
	}
	release()
	if got := simnet.Receive(t, served, "the stream to be served"); got != "xxxxx" {
		t.Errorf("it was served %q", got)
	}
}

// A listener, which is reported as long as connections are queued, must not keep
// a loop busy that has no worker for it.
func TestListenerRestsWhileNoWorkerIsFree(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	k := &acceptor{accepted: make(chan int, 10)}
	at := k.listen(t, l)
	_, release := occupy(t, l)
	for range 3 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	simnet.Eventually(t, "the listener to wait for a worker", func() bool { return backlogLen(t, l) > 0 })
	for range 10 {
		if n := backlogLen(t, l); n != 1 {
			t.Fatalf("one listener is %d entries of the backlog", n)
		}
	}
	simnet.Eventually(t, "the loop to park", l.parked.Load)
	release()
	for range 3 {
		sys.Close(simnet.Receive(t, k.accepted, "a connection to be accepted"))
	}
}

// A function does not wait for a handler to end, which may be waiting for the function.
func TestFunctionsRunWhileNoHandlerMayBegin(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	_, release := occupy(t, l)
	ran := make(chan struct{})
	if !l.Go(func(*Worker) { close(ran) }) {
		t.Fatal("the loop has ended")
	}
	simnet.Receive(t, ran, "the function")
	release()
}

// A handler that waits where no handler may begin gets the connection that it has asked for.
func TestFunctionsWaitWhileNoHandlerMayBegin(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 1})
	l := g.Next()
	k, got := &task{}, make(chan error, 1)
	k.serve = func(w *Worker) {
		var gate Gate
		l.Go(func(w *Worker) {
			var s Stream
			_ = s.Sleep(w, 1) // as a connection is waited for
			gate.Open()
		})
		got <- gate.Wait(w, simnet.Patience.Milliseconds()/2)
		k.Close()
	}
	send(t, open(t, l, k), "go")
	if err := simnet.Receive(t, got, "the handler"); err != nil {
		t.Error(err)
	}
}

// What a deadline makes served is served at once, also when the deadline passes in the turn after
// which the loop would park.
func TestExpiredStreamsAreServed(t *testing.T) {
	g := idleGroup(t, Config{Loops: 1})
	l := g.Next()
	k, served, turned := &task{}, make(chan struct{}), make(chan struct{})
	k.expire = func() { k.Rest(0, true) }
	k.serve = func(*Worker) {
		k.Close()
		close(served)
	}
	fd, _ := pair(t)
	if err := k.Open(l, fd, k); err != nil {
		t.Fatal(err)
	}
	k.Rest(l.Tick()+1, false)
	for monotonic() < l.nanos+2*tickNanos {
		runtime.Gosched()
	}
	l.empty = spinTurns
	go func() {
		l.turn(true)
		close(turned)
	}()
	simnet.Receive(t, turned, "the turn, which is not to park")
	g.Start()
	simnet.Receive(t, served, "the stream to be served")
}

// Work that creates more work must not keep events, time and messages waiting.
func TestRestingAgainKeepsNobodyWaiting(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	began, turns := make(chan struct{}), 0
	restless := &task{}
	restless.serve = func(w *Worker) {
		if turns++; turns == 1 {
			close(began)
		}
		restless.Rest(0, true)
	}
	send(t, open(t, l, restless), "go")
	simnet.Receive(t, began, "the restless stream")

	slept := make(chan error, 1)
	l.Go(func(w *Worker) {
		var s Stream
		slept <- s.Sleep(w, 5)
	})
	if err := simnet.Receive(t, slept, "a sleeper beside it"); err != nil {
		t.Error(err)
	}
	echo := &task{}
	echo.serve = func(w *Worker) { serveEcho(echo) }
	peer := open(t, l, echo)
	send(t, peer, "ping")
	var b [4]byte
	_ = peer.SetReadDeadline(time.Now().Add(simnet.Patience))
	if _, err := io.ReadFull(peer, b[:]); err != nil || string(b[:]) != "ping" {
		t.Errorf("echo beside it: %q, %v", b, err)
	}
	if again := onLoop(t, l, func(*Loop) int { return turns }); again < 2 {
		t.Errorf("the restless stream was served %d times", again)
	}
}
