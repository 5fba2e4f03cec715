//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Streams over sockets: reading, writing, waiting, accepting, connecting.

package loop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

var loopback = sys.Addr{IP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)}

// end ends what Serve began once its user code has run: the present owner closes the stream.
func (k *task) end(w *Worker) {
	if w.End() {
		k.Close()
		return
	}
	k.giveBack(func(Task) { k.Close() })
}

// A handler may read while a goroutine of its own writes.
func TestBothSidesAtOnce(t *testing.T) {
	const size = 4 << 20
	g := newGroup(t, Config{Loops: 1})
	k, done := &task{}, make(chan error, 1)
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		wrote := make(chan error, 1)
		go func() {
			p := make([]byte, 64<<10)
			for range size / len(p) {
				if _, err := k.Write(p); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		read, p := 0, make([]byte, 64<<10)
		for read < size {
			n, err := k.Read(p)
			if read += n; err != nil {
				done <- err
				return
			}
		}
		done <- <-wrote
	}
	peer := open(t, g.Next(), k)
	copied := make(chan error, 2)
	go func() {
		_, err := peer.Write(make([]byte, size))
		copied <- err
	}()
	go func() {
		_, err := io.CopyN(io.Discard, net.Conn(peer), size)
		copied <- err
	}()
	for _, ch := range []chan error{copied, copied, done} {
		if err := simnet.Receive(t, ch, "both sides to be done"); err != nil {
			t.Error(err)
		}
	}
}

// echoBlocking is a handler that reads as from a blocking connection until the
// peer is done.
func echoBlocking(k *task) func(*Worker) {
	return func(*Worker) {
		var b [4096]byte
		for {
			n, err := k.Read(b[:])
			if err == nil {
				_, err = k.Write(b[:n])
			}
			if err != nil {
				k.Close()
				return
			}
		}
	}
}

// talk sends messages to an echo and checks what comes back.
func talk(c net.Conn, r *rand.Rand, messages int) error {
	_ = c.SetDeadline(time.Now().Add(simnet.Patience))
	for range messages {
		p := make([]byte, 1+r.IntN(20_000))
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		sent := make(chan error, 1)
		go func() {
			_, err := c.Write(p)
			sent <- err
		}()
		got := make([]byte, len(p))
		if _, err := io.ReadFull(c, got); err != nil {
			return err
		}
		if err := <-sent; err != nil {
			return err
		}
		if !bytes.Equal(got, p) {
			return errors.New("the echo is not what was said")
		}
	}
	return nil
}

// Many streams on two loops, half of them served event by event, half by a
// coroutine each.
func TestEcho(t *testing.T) {
	g := newGroup(t, Config{Loops: 2})
	r := newRand(t)
	const streams = 60
	said := make(chan error, streams)
	for i := range streams {
		k := &task{}
		k.serve = func(*Worker) { serveEcho(k) }
		if i%2 == 0 {
			k.serve = echoBlocking(k)
		}
		peer, own := open(t, g.Next(), k), rand.New(rand.NewPCG(r.Uint64(), 0))
		go func() {
			said <- talk(peer, own, 20)
			_ = peer.Close()
		}()
	}
	for range streams {
		if err := simnet.Receive(t, said, "the conversations"); err != nil {
			t.Error(err)
		}
	}
	for _, l := range g.Loops() {
		simnet.Eventually(t, "the streams to be closed", func() bool { return onLoop(t, l, (*Loop).Streams) == 0 })
	}
}

// The same over TCP, accepted on a loop and connected from another.
func TestAcceptAndConnect(t *testing.T) {
	g := newGroup(t, Config{Loops: 2})
	front, back := g.Loops()[0], g.Loops()[1]
	k := &acceptor{accepted: make(chan int, 10)}
	at := k.listen(t, front)
	const clients = 10
	go func() {
		for range clients {
			fd := <-k.accepted
			front.Post(func(l *Loop) {
				c := &task{}
				c.serve = func(*Worker) { serveEcho(c) }
				if err := c.Open(l, fd, c); err != nil {
					sys.Close(fd)
					return
				}
				c.Rest(0, false)
			})
		}
	}()
	done := make(chan error, clients)
	for range clients {
		back.Go(func(w *Worker) { done <- askEcho(w, at) })
	}
	for range clients {
		if err := simnet.Receive(t, done, "the clients"); err != nil {
			t.Error(err)
		}
	}
}

func askEcho(w *Worker, at string) error {
	var s Stream
	if err := s.Connect(w, sys.Addr{IP: netip.MustParseAddrPort(at)}, 5000); err != nil {
		return err
	}
	defer s.Close()
	s.ReadTimeout, s.WriteTimeout = 5000, 5000
	if n, err := s.WriteThree([]byte("one "), nil, []byte("two")); n != 7 || err != nil {
		return fmt.Errorf("WriteThree: %d, %v", n, err)
	}
	var b [16]byte
	for n := 0; n < 7; {
		m, err := s.Read(b[n:])
		if n += m; err != nil {
			return err
		}
	}
	if string(b[:7]) != "one two" {
		return fmt.Errorf("the echo was %q", b)
	}
	s.HalfClose()
	if n, err := s.Read(b[:]); n != 0 || err != io.EOF {
		return fmt.Errorf("after the end: %d, %v", n, err)
	}
	return nil
}

// Connecting to an address where nothing listens fails, and leaves nothing behind.
func TestConnectFails(t *testing.T) {
	probe, nobody, err := sys.Probe(loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close(probe) // bound, and not listening: nobody else can
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	got := make(chan error, 2)
	l.Go(func(w *Worker) {
		var s Stream
		got <- s.Connect(w, nobody, 5000)
		got <- s.Connect(w, sys.Addr{Path: "/nowhere/at/all"}, 0)
	})
	for _, want := range []error{syscall.ECONNREFUSED, syscall.ENOENT} {
		if err := simnet.Receive(t, got, "the connection to fail"); !errors.Is(err, want) {
			t.Errorf("connecting ended with %v, not with %v", err, want)
		}
	}
	if n := onLoop(t, l, (*Loop).Streams); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

// What is written arrives whole and in order, however slowly the peer reads.
func TestWritesToASlowPeer(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	k := &task{}
	pieces := [][]byte{make([]byte, 3<<20), make([]byte, 1<<20), make([]byte, 2<<20+1)}
	var whole []byte
	for i, p := range pieces {
		for j := range p {
			p[j] = byte(j*7 + i)
		}
		whole = append(whole, p...)
	}
	k.serve = func(*Worker) {
		_, _ = k.TryRead(make([]byte, 8))
		if n, err := k.WriteThree(pieces[0], pieces[1], pieces[2]); n != len(whole) || err != nil {
			t.Errorf("WriteThree: %d, %v", n, err)
		}
		if n, err := k.Write(whole); n != len(whole) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		k.Close()
	}
	peer := open(t, g.Next(), k)
	send(t, peer, "go")
	simnet.Eventually(t, "the writer to wait", func() bool { return waits(&k.output) })
	_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
	for i := range 2 {
		got := make([]byte, len(whole))
		if n, err := io.ReadFull(peer, got); err != nil {
			t.Fatalf("%d bytes of the %d, then %v", n, i, err)
		}
		if !bytes.Equal(got, whole) {
			t.Fatalf("the bytes of the %d differ", i)
		}
	}
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// Reads and writes that take too long end with ErrTimeout, on the worker's side
// as on the peer's.
func TestTimeouts(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	k, got := &task{}, make(chan error, 2)
	k.serve = func(*Worker) {
		k.ReadTimeout, k.WriteTimeout = 20, 20
		var b [8]byte
		_, _ = k.TryRead(b[:])
		_, err := k.Read(b[:])
		got <- err
		_, err = k.Write(make([]byte, 4<<20))
		got <- err
		k.Close()
	}
	send(t, open(t, g.Next(), k), "go")
	for range 2 {
		if err := simnet.Receive(t, got, "the time-out"); err != ErrTimeout {
			t.Errorf("it ended with %v", err)
		}
	}
}

// A stream at rest is told of its deadline, and of input before that.
func TestRestEndsByDeadlineOrInput(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, heard := &task{}, make(chan string, 10)
	k.serve = func(*Worker) {
		var b [8]byte
		n, _ := k.TryRead(b[:])
		heard <- string(b[:n])
		k.Rest(l.Tick()+20, false)
	}
	k.expire = func() {
		heard <- "expired"
		k.Rest(0, false)
	}
	peer := open(t, l, k)
	for _, want := range []string{"one", "expired", "two", "expired"} {
		if want != "expired" {
			send(t, peer, want)
		}
		if got := simnet.Receive(t, heard, want); got != want {
			t.Fatalf("heard %q, not %q", got, want)
		}
	}
}

// The task is told once of a peer that hangs up while its handler waits for something else.
func TestHangUpIsTold(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, told := &task{}, make(chan struct{}, 10)
	waiting, end := make(chan struct{}), make(chan error, 1)
	k.hangUp = func() { told <- struct{}{} }
	other := &waitingStream{}
	k.serve = func(w *Worker) {
		other.open(w)
		close(waiting)
		end <- other.wait(&other.input, 0)
		other.close(l)
		if !k.HungUp() {
			t.Error("the stream does not know of it")
		}
		k.Close()
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, waiting, "the handler")
	_ = peer.CloseWrite()
	simnet.Receive(t, told, "the hang-up")
	onLoop(t, l, func(*Loop) any { l.wakeOrMark(&other.input); return nil })
	simnet.Receive(t, end, "the handler to end")
	if len(told) > 0 {
		t.Error("the task was told twice")
	}
}

// A worker that always finds data lets others run.
func TestGivesWay(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	over := false // guarded by the loop
	ended := make(chan error, 1)
	fds := socketpair(t)
	busy := make(chan struct{})
	l.Go(func(w *Worker) {
		var a, b Stream
		for i, s := range []*Stream{&a, &b} {
			if err := s.Open(l, fds[i], nil); err != nil {
				t.Error(err)
			}
			s.state, s.worker = running, w
			defer s.Close()
		}
		close(busy)
		p := make([]byte, 16<<10)
		for !over {
			if _, err := a.Write(p); err != nil {
				ended <- err
				return
			}
			for n := 0; n < len(p); {
				m, err := b.Read(p)
				if n += m; err != nil {
					ended <- err
					return
				}
			}
		}
		ended <- nil
	})
	simnet.Receive(t, busy, "the busy worker")
	k := &task{}
	k.serve = func(*Worker) { serveEcho(k) }
	peer := open(t, l, k)
	for range 10 {
		if err := talk(peer, newRand(t), 1); err != nil {
			t.Fatal(err)
		}
	}
	onLoop(t, l, func(*Loop) any { over = true; return nil })
	if err := simnet.Receive(t, ended, "the busy worker to end"); err != nil {
		t.Error(err)
	}
}

// Nothing is allocated between an event and its answer, whether the stream rests
// or a coroutine waits.
func TestEchoDoesNotAllocate(t *testing.T) {
	for _, how := range []string{"rest", "wait"} {
		t.Run(how, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			k, buffer := &task{}, make([]byte, 64)
			k.serve = func(*Worker) {
				for {
					n, err := k.TryRead(buffer)
					if n == 0 && err == nil && how == "rest" {
						k.Rest(g.Loops()[0].Tick()+5000, false)
						return
					}
					if n == 0 && err == nil {
						n, err = k.Read(buffer)
					}
					if err == nil {
						_, err = k.Write(buffer[:n])
					}
					if err != nil {
						k.Close()
						return
					}
				}
			}
			peer, b := open(t, g.Next(), k), []byte("ping")
			_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
			n := testing.AllocsPerRun(200, func() {
				if _, err := peer.Write(b); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(peer, b); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations a message", n)
			}
		})
	}
}

// Input that comes while the handler does something else, after it has read all
// there was, is served when the stream goes to rest.
func TestInputWhileServedIsNotMissed(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	k, got := &task{}, make(chan string, 10)
	waiting, other := make(chan struct{}), &waitingStream{}
	first := true
	k.serve = func(w *Worker) {
		var b [8]byte
		n, _ := k.TryRead(b[:])
		got <- string(b[:n])
		if first {
			first = false
			other.open(w)
			close(waiting)
			_ = other.wait(&other.input, 0)
			other.close(l)
		}
		k.Rest(0, false)
	}
	peer := open(t, l, k)
	send(t, peer, "one")
	simnet.Receive(t, waiting, "the handler")
	send(t, peer, "two")
	simnet.Eventually(t, "the event", func() bool { return k.input.Load() == ready })
	onLoop(t, l, func(*Loop) any { l.wakeOrMark(&other.input); return nil })
	for _, want := range []string{"one", "two"} {
		if s := simnet.Receive(t, got, want); s != want {
			t.Errorf("served %q, not %q", s, want)
		}
	}
}

// A goroutine that a handler left waiting is sent away when its stream goes to rest or is closed,
// and gets nothing of what comes after.
func TestGoroutineLeftBehindIsSentAway(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	k, left, served := &task{}, make(chan error, 2), make(chan string, 2)
	k.serve = func(w *Worker) {
		var b [8]byte
		n, err := k.TryRead(b[:])
		if err != nil {
			k.Close()
			return
		}
		if n == 0 { // a worker that lost the loop has it look again
			k.Rest(0, false)
			return
		}
		served <- string(b[:n])
		w.Begin(&k.Stream)
		for _, side := range []*word{&k.input, &k.output} {
			go func() { left <- k.wait(side, 60_000) }()
			for !waits(side) {
				runtime.Gosched()
			}
		}
		closes := string(b[:n]) == "close"
		switch held := w.End(); {
		case held && closes:
			k.Close()
		case held:
			k.Rest(0, false)
		case closes:
			k.giveBack(func(Task) { k.Close() })
		default:
			k.giveBack(func(Task) { k.Rest(0, true) })
		}
	}
	peer := open(t, g.Next(), k)
	for _, message := range []string{"rest", "close"} {
		send(t, peer, message)
		if got := simnet.Receive(t, served, "the handler"); got != message {
			t.Errorf("served %q, not %q", got, message)
		}
		for range 2 {
			if err := simnet.Receive(t, left, "those left behind"); err != ErrOver {
				t.Errorf("a wait left behind ended with %v", err)
			}
		}
	}
}
