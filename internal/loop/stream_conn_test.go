// The portable driver: streams over a net.Conn, one goroutine each.

package loop

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// serveConn serves one end of a connection with fn and returns the other.
func serveConn(t *testing.T, g *Group, fn func(*Stream)) net.Conn {
	t.Helper()
	peer, c := simnet.Pair(t)
	served := g.Next().Go(func(w *Worker) {
		var s Stream
		s.OpenConn(w, c, nil)
		defer s.Close()
		fn(&s)
	})
	if !served {
		t.Fatal("the group takes no functions")
	}
	return peer
}

func TestConnStreamReadsAndWrites(t *testing.T) {
	g := newGroup(t, Config{Loops: 2, Portable: true})
	done := make(chan struct{})
	peer := serveConn(t, g, func(s *Stream) {
		defer close(done)
		if s.NetConn() == nil {
			t.Error("the stream has no net.Conn")
		}
		var b [64]byte
		n, err := s.Read(b[:])
		if err != nil {
			t.Error(err)
		}
		if n, err := s.WriteThree([]byte("<"), b[:n], []byte(">")); err != nil || n != 6 {
			t.Errorf("WriteThree: %d, %v", n, err)
		}
		if n, err := s.Write([]byte("!")); err != nil || n != 1 {
			t.Errorf("Write: %d, %v", n, err)
		}
		s.HalfClose()
		if _, err := s.Read(b[:]); err != io.EOF {
			t.Errorf("the end of the stream is %v", err)
		}
	})
	if _, err := peer.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
	if got, err := io.ReadAll(peer); err != nil || string(got) != "<ping>!" {
		t.Errorf("read %q, %v", got, err)
	}
	_ = peer.Close()
	simnet.Receive(t, done, "the other end")
}

func TestConnStreamTimesOutAndCloses(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	got := make(chan error, 3)
	reading := make(chan *Stream, 1)
	serveConn(t, g, func(s *Stream) {
		s.ReadTimeout, s.WriteTimeout = 20, 20
		var b [64]byte
		_, err := s.Read(b[:])
		got <- err
		_, err = s.Write(make([]byte, 32<<20))
		got <- err
		s.ReadTimeout = 0 // the deadline is removed
		reading <- s
		_, err = s.Read(b[:])
		got <- err
	})
	for range 2 {
		if err := simnet.Receive(t, got, "the time-out"); err != ErrTimeout {
			t.Errorf("it ended with %v", err)
		}
	}
	_ = simnet.Receive(t, reading, "the read").NetConn().Close()
	if err := simnet.Receive(t, got, "the read to end"); err != ErrClosed {
		t.Errorf("a read of a closed connection ended with %v", err)
	}
}

// A connection whose Read returns 0 and no error is read again.
func TestConnStreamReadsAgainAfterNothing(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	got := make(chan string, 1)
	g.Next().Go(func(w *Worker) {
		var s Stream
		s.OpenConn(w, &hesitant{empty: 1000}, nil)
		defer s.Close()
		var b [8]byte
		n, err := s.Read(b[:])
		if err != nil {
			t.Error(err)
		}
		got <- string(b[:n])
	})
	if s := simnet.Receive(t, got, "the read"); s != "at last" {
		t.Errorf("read %q", s)
	}
}

// hesitant is a connection whose first reads return nothing.
type hesitant struct {
	net.Conn
	empty int
}

func (c *hesitant) Close() error { return nil }

func (c *hesitant) SetReadDeadline(time.Time) error { return nil }

func (c *hesitant) Read(p []byte) (int, error) {
	if c.empty--; c.empty >= 0 {
		return 0, nil
	}
	return copy(p, "at last"), nil
}

func TestConnStreamConnects(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := sys.Addr{IP: netip.MustParseAddrPort(ln.Addr().String())}
	got := make(chan error, 2)
	connect := func(w *Worker) {
		var s Stream
		err := s.Connect(w, addr, 5000)
		if err == nil {
			s.Close()
		}
		got <- err
	}
	g.Next().Go(connect)
	if err := simnet.Receive(t, got, "the connection"); err != nil {
		t.Error(err)
	}
	_ = ln.Close()
	g.Next().Go(connect)
	if err := simnet.Receive(t, got, "the connection to fail"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connecting to nobody ended with %v", err)
	}
}

// Stop ends what the streams of a portable group wait for: a connection under way,
// and input that never comes.
func TestStopEndsConnStreams(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	inside, got := make(chan struct{}, 1), make(chan error, 3)
	g.Next().Go(func(w *Worker) {
		var s Stream
		if err := s.Connect(w, sys.Addr{IP: netip.MustParseAddrPort(ln.Addr().String())}, 0); err != nil {
			t.Error(err)
		}
		inside <- struct{}{}
		var b [8]byte
		_, err := s.Read(b[:])
		got <- err
		s.Close()
		got <- s.Connect(w, sys.Addr{IP: netip.MustParseAddrPort(ln.Addr().String())}, 0)
	})
	simnet.Receive(t, inside, "the connection")
	stopGroup(t, g)
	for range 2 {
		if err := simnet.Receive(t, got, "what Stop ends"); err != ErrClosed {
			t.Errorf("it ended with %v", err)
		}
	}
}

// Stop returns when the last goroutine of the group has.
func TestStopWaitsForGoroutines(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	release, stopped := make(chan struct{}), make(chan struct{})
	g.Next().Goroutine(func(*Worker) { <-release })
	go func() {
		defer close(stopped)
		g.Stop()
	}()
	<-g.stop.Done()
	select {
	case <-stopped:
		t.Error("Stop returned while a goroutine of the group ran")
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	simnet.Receive(t, stopped, "Stop to return")
}

// Stop does not wait for user code on them, which returns to a group that no longer exists; it does
// wait for user code that returns in time.
func TestStopLeavesUserCodeBehind(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	inside, release, ended := make(chan struct{}, 2), make(chan struct{}), make(chan struct{}, 2)
	g.Next().Goroutine(func(w *Worker) {
		for range 3 {
			w.Begin(nil)
			w.End()
		}
		inside <- struct{}{}
		var s Stream
		if err := s.Sleep(w, 3_600_000); err != ErrClosed {
			t.Errorf("a sleep was ended with %v", err)
		}
		ended <- struct{}{}
	})
	g.Next().Goroutine(func(w *Worker) {
		w.Begin(nil)
		inside <- struct{}{}
		<-release
		w.End()
		w.Begin(nil)
		w.End()
		ended <- struct{}{}
	})
	simnet.Receive(t, inside, "both goroutines")
	simnet.Receive(t, inside, "both goroutines")
	stopGroup(t, g)
	if len(ended) != 1 {
		t.Errorf("when Stop returned %d goroutines had ended, not the one", len(ended))
	}
	close(release)
	simnet.Receive(t, ended, "the first to end")
	simnet.Receive(t, ended, "the second to end")
}

// A portable group has no loop to ask, and its goroutines end in their own time.
func TestPortableGroup(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	l := g.Next()
	if l.Post(func(*Loop) { t.Error("a message ran") }) {
		t.Error("a portable group takes messages that nobody will read")
	}
	ended := make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(ended)
		if !w.Lost() || w.Loop() != l || w.Unix() < 1e9 {
			t.Errorf("the worker has lost its loop: %v, it is %p, and the time is %d", w.Lost(), w.Loop(), w.Unix())
		}
		w.Begin(nil)
		if w.End() {
			t.Error("a worker without a loop holds it")
		}
		runtime.Goexit()
	})
	simnet.Receive(t, ended, "the function to end")
	stopGroup(t, g)
	if l.Go(func(*Worker) {}) {
		t.Error("a stopped group takes functions")
	}
}

// wrapped is a connection over another one; it counts how often it is closed.
type wrapped struct {
	net.Conn
	closed atomic.Int32
}

func (w *wrapped) NetConn() net.Conn { return w.Conn }

func (w *wrapped) Close() error {
	w.closed.Add(1)
	return w.Conn.Close()
}

// However a stream ends, what wraps its connection is closed.
func TestConnStreamClosesWhatItWasGiven(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	for name, end := range map[string]func(s *Stream){
		"in order": func(*Stream) {},
		"mute":     func(s *Stream) { s.SuppressCloseNotify() },
		"unended":  func(s *Stream) { s.SetIncomplete(true) },
		"cut":      func(s *Stream) { s.SuppressCloseNotify(); s.Cut() },
	} {
		ours, peer := net.Pipe()
		w, done := &wrapped{Conn: ours}, make(chan struct{})
		if !g.Next().Go(func(worker *Worker) {
			defer close(done)
			var s Stream
			s.OpenConn(worker, w, nil)
			end(&s)
			s.Close()
		}) {
			t.Fatal("the group takes no functions")
		}
		simnet.Receive(t, done, "the stream to end")
		if n := w.closed.Load(); n == 0 {
			t.Errorf("%s: it was not closed", name)
		}
		if _, err := peer.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: what is under it was not closed", name)
		}
	}
}

// The end of a group cuts what is under TLS, as for a server that stops: no peer is told that the
// end is orderly, and no close_notify is waited for.
func TestConnStreamStopsWithoutAWord(t *testing.T) {
	for _, late := range []bool{false, true} { // it comes when the group has been stopped
		g := newGroup(t, Config{Loops: 1, Portable: true})
		ours, peer := net.Pipe()
		w, opened, ended := &wrapped{Conn: ours}, make(chan struct{}), make(chan int32, 1)
		if !g.Next().Go(func(worker *Worker) {
			if late {
				close(opened)
				<-g.stop.Done()
			}
			var s Stream
			s.OpenConn(worker, w, nil)
			if !late {
				close(opened)
			}
			_, _ = s.Read(make([]byte, 1))
			ended <- w.closed.Load()
			s.Close()
		}) {
			t.Fatal("the group takes no functions")
		}
		simnet.Receive(t, opened, "the stream")
		go g.Stop()
		if n := simnet.Receive(t, ended, "the stream to end"); n != 0 {
			t.Errorf("late %v: it was ended by who is on top", late)
		}
		_ = peer.Close()
	}
}

// lateConn is a connection whose first Read begins when its deadline has long passed, as it may
// on a busy machine.
type lateConn struct {
	net.Conn
	deadline time.Time
	reads    int
}

func (c *lateConn) SetReadDeadline(t time.Time) error {
	c.deadline = t
	return c.Conn.SetReadDeadline(t)
}

func (c *lateConn) Read(p []byte) (int, error) {
	for c.reads++; c.reads == 1 && time.Since(c.deadline) < 2*lateNanos; {
		runtime.Gosched()
	}
	return c.Conn.Read(p)
}

// Input that has come is seen although the read that was to see it came too late to try.
func TestLateProbeLooksAgain(t *testing.T) {
	peer, inner := simnet.Pair(t)
	c := &lateConn{Conn: inner}
	l := transport{conn: c}
	if l.probeNoInput(make([]byte, 1)); c.reads < 2 {
		t.Error("the read that could not try was believed")
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	l.conn = &lateConn{Conn: inner}
	if l.probeNoInput(make([]byte, 1)) {
		t.Error("what has come was not seen")
	}
}

// slowConn is a connection whose first read deadline has just passed when it has been set.
type slowConn struct {
	net.Conn
	armed int
}

func (c *slowConn) SetReadDeadline(t time.Time) error {
	err := c.Conn.SetReadDeadline(t)
	for c.armed++; c.armed == 1 && time.Since(t) <= 0; {
		runtime.Gosched()
	}
	return err
}

// The same where it is late by less than the timers may be.
func TestLateDeadlineIsSetAgain(t *testing.T) {
	ours, peer := net.Pipe()
	defer ours.Close()
	defer peer.Close()
	c := &slowConn{Conn: ours}
	l := transport{conn: c}
	if l.probeNoInput(make([]byte, 1)); c.armed < 2 {
		t.Error("a read that could not try was believed")
	}
}
