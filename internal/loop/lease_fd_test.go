//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// The lease: user code that keeps the loop too long, and user code that never returns.

package loop

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// User code that ends its goroutine gives up its lease.
func TestGoexitGivesTheLeaseBack(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	gone := make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(gone)
		w.Begin(nil)
		runtime.Goexit()
	})
	simnet.Receive(t, gone, "the handler to end")
	if onLoop(t, l, func(l *Loop) bool { return l.lease.word.Load()&inHandler != 0 }) {
		t.Error("the lease is still a handler's that has ended")
	}
}

// The same after the loop was taken away: the handler's reference to the poller is released
// (checked at the end of the test).
func TestGoexitAfterATakeoverReleasesThePoller(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	gone := make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(gone)
		w.Begin(nil)
		for int64(l.Tally(TakenOver)) == 0 {
			runtime.Gosched()
		}
		runtime.Goexit()
	})
	simnet.Receive(t, gone, "the handler to end")
	onLoop(t, l, func(*Loop) any { return nil })
}

// A watchdog that comes after the end must not close the poller once more: its
// descriptors may be someone else's by then.
func TestTakeoverOfAnEndedLoopTouchesNothing(t *testing.T) {
	l := &Loop{group: &Group{}}
	if err := l.poller.open(); err != nil {
		t.Fatal(err)
	}
	defer l.poller.close()
	l.lease.word.Store(leaseWord(0, 2)) // back on the loop, to which nobody holds a reference any more
	if l.takeOver(leaseWord(0, 1)|inHandler, stallNanos) {
		t.Fatal("the loop was taken from nobody")
	}
	if e := polled(&l.poller); e != 0 {
		t.Error("the poller was closed again")
	}
}

// blocker is a task whose handler answers each byte it reads with that byte, and
// blocks before, as an ordinary goroutine may, when the byte is 'b'.
type blocker struct {
	task
	blocked chan struct{} // gets one when the handler is about to block
	release chan struct{} // ends the block
	lost    atomic.Int32  // how many handlers came back without the loop
}

func newBlocker() *blocker {
	k := &blocker{blocked: make(chan struct{}, 16), release: make(chan struct{}, 16)}
	k.serve = func(w *Worker) {
		for {
			var b [1]byte
			n, err := k.TryRead(b[:])
			switch {
			case err != nil:
				k.Close()
				return
			case n == 0:
				k.Rest(0, false)
				return
			}
			w.Begin(&k.Stream)
			if b[0] == 'b' {
				k.blocked <- struct{}{}
				<-k.release
			}
			_, err = k.Write(b[:])
			switch held := w.End(); {
			case !held:
				k.lost.Add(1)
				k.giveBack(func(Task) { k.Rest(0, true) })
				return
			case err != nil:
				k.Close()
				return
			}
		}
	}
	return k
}

// expect reads from the peer what must come.
func expect(t *testing.T, c net.Conn, want string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(simnet.Patience))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("read %q and %v, not %q", got, err, want)
	}
}

// A handler that blocks loses the loop, which goes on; when it is done its stream
// goes back, with what has arrived meanwhile, and is served on.
func TestBlockedHandlerLosesTheLoop(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	slow, quick := newBlocker(), newBlocker()
	slowPeer, quickPeer := open(t, l, &slow.task), open(t, l, &quick.task)
	for round := range 5 {
		send(t, slowPeer, "b")
		simnet.Receive(t, slow.blocked, "the handler to block")
		for range 10 {
			send(t, quickPeer, "q")
			expect(t, quickPeer, "q")
		}
		if int64(l.Tally(TakenOver)) <= int64(round) {
			t.Fatal("the others were served without a takeover")
		}
		orphans(t, l, 1)
		send(t, slowPeer, "xy")
		slow.release <- struct{}{}
		expect(t, slowPeer, "bxy")
	}
	if n := slow.lost.Load(); n < 5 {
		t.Errorf("%d handlers noticed", n)
	}
	orphans(t, l, 0)
}

// orphans waits until n streams of the loop have a detached owner. For a while there may be one
// among them whose handler was merely kept from running by the machine.
func orphans(t *testing.T, l *Loop, n int) {
	t.Helper()
	simnet.Eventually(t, fmt.Sprintf("%d orphans", n), func() bool { return onLoop(t, l, func(l *Loop) int { return l.orphans }) == n })
}

// Two handlers and a mutex held across a wait: the one that has it can go on only
// if the other does not keep the loop.
func TestMutexHeldAcrossAWait(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	var mu sync.Mutex
	locked, wanted := make(chan struct{}, 1), make(chan struct{}, 1)
	handler := func(k *task, locking bool) func(*Worker) {
		return func(w *Worker) {
			w.Begin(&k.Stream)
			defer k.end(w)
			var b [1]byte
			_, _ = k.Read(b[:])
			if !locking {
				wanted <- struct{}{}
			}
			mu.Lock()
			defer mu.Unlock()
			if locking {
				locked <- struct{}{}
				_, _ = k.Read(b[:]) // with the mutex held
			}
			_, _ = k.Write(b[:])
		}
	}
	a, b := &task{}, &task{}
	a.serve, b.serve = handler(a, true), handler(b, false)
	peerA, peerB := open(t, l, a), open(t, l, b)
	send(t, peerA, "1")
	simnet.Receive(t, locked, "the first handler to lock")
	send(t, peerB, "3")
	simnet.Receive(t, wanted, "the second handler to want the lock")
	send(t, peerA, "2")
	expect(t, peerA, "2")
	expect(t, peerB, "3")
}

// A handler that lost the loop reads and writes like an ordinary goroutine, with its timeouts, and
// notices hang-ups.
func TestLateHandlerWaitsAsAGoroutine(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, got := &task{}, make(chan any, 10)
	begun, told := make(chan struct{}), make(chan struct{}, 1)
	k.hangUp = func() { told <- struct{}{} }
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		for int64(l.Tally(TakenOver)) == 0 {
			runtime.Gosched()
		}
		close(begun)
		var b [8]byte
		_, _ = k.Read(b[:2])
		n, err := k.Read(b[:])
		got <- string(b[:n])
		k.ReadTimeout = 20
		_, err = k.Read(b[:])
		got <- err
		n, err = k.Write(make([]byte, 4<<20))
		got <- n
		got <- w.End()
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, begun, "the takeover")
	simnet.Eventually(t, "the late handler to wait", func() bool { return waits(&k.input) })
	send(t, peer, "late")
	if s := simnet.Receive(t, got, "the late handler to read"); s != "late" {
		t.Errorf("it read %v", s)
	}
	if err := simnet.Receive(t, got, "the time-out"); err != ErrTimeout {
		t.Errorf("a read without input ended with %v", err)
	}
	simnet.Eventually(t, "the late handler to wait", func() bool { return waits(&k.output) })
	_ = peer.CloseWrite()
	simnet.Receive(t, told, "the hang-up")
	if _, err := io.CopyN(io.Discard, peer, 4<<20); err != nil {
		t.Error(err)
	}
	if n := simnet.Receive(t, got, "the late handler to write"); n != 4<<20 {
		t.Errorf("it wrote %v", n)
	}
	if held := simnet.Receive(t, got, "the late handler to end"); held != false {
		t.Error("it believes that it has the loop")
	}
	simnet.Eventually(t, "its stream to be closed", func() bool { return onLoop(t, l, (*Loop).Streams) == 0 })
}

// The handler's own stream is the orphan, whatever it waited on before it blocked.
func TestTakeoverDetachesTheStreamServed(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, blocked, release := &task{}, make(chan struct{}), make(chan struct{})
	var upstream waitingStream
	k.serve = func(w *Worker) {
		upstream.open(w)
		w.Begin(&k.Stream)
		defer k.end(w)
		l.Post(func(l *Loop) { l.wakeOrMark(&upstream.input) })
		if err := upstream.wait(&upstream.input, 0); err != nil {
			t.Error(err)
		}
		close(blocked)
		<-release
		l.Post(func(l *Loop) { upstream.close(l) })
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, blocked, "the handler to block")
	states := onLoop(t, l, func(*Loop) [2]ownership { return [2]ownership{k.state, upstream.state} })
	if want := [2]ownership{detached, running}; states != want {
		t.Errorf("the stream served and the other are %v, not %v", states, want)
	}
	close(release)
	simnet.Eventually(t, "both streams to be closed", func() bool { return onLoop(t, l, (*Loop).Streams) == 0 })
}

// A handler that comes back in time keeps the loop: entering and leaving is no takeover, and
// neither is the loop's own work, however long it takes.
func TestOnlyUserCodeLosesTheLoop(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	held := make(chan bool, 1)
	l.Go(func(w *Worker) {
		for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
			runtime.Gosched()
		}
		held <- !w.Lost() && l.lease.word.Load()&inHandler == 0
	})
	if !simnet.Receive(t, held, "our own code") {
		t.Error("our own code lost the loop")
	}
	if n := int64(l.Tally(TakenOver)); n != 0 {
		t.Errorf("%d takeovers", n)
	}
}

// Each wait inside user code is a step of the lease: it takes the loop, and goes back under the
// rule with another sequence.
func TestWaitsMoveTheLeaseOn(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	words, done := make(chan uint64, 8), make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(done)
		var s waitingStream
		s.open(w)
		defer s.close(l)
		s.worker = w
		w.Begin(nil)
		for range 3 {
			words <- l.lease.word.Load()
			l.Post(func(l *Loop) {
				words <- l.lease.word.Load()
				l.wakeOrMark(&s.input)
			})
			_ = s.wait(&s.input, 0)
		}
		w.End()
		words <- l.lease.word.Load()
	})
	simnet.Receive(t, done, "the function")
	close(words)
	seen := map[uint64]bool{}
	for i := 0; len(words) > 0; i++ {
		word := <-words
		if under := word&inHandler != 0; under != (i%2 == 0 && i < 6) {
			t.Errorf("step %d: the lease is %x", i, word)
		}
		if seen[word] {
			t.Errorf("step %d: the lease is %x again", i, word)
		}
		seen[word] = true
	}
}
