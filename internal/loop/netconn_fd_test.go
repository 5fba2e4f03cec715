//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Conn on a loop: when it suspends a coroutine and when it parks a goroutine, and what becomes of
// the stream that it was lent.

package loop

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// serve runs fn as user code that serves one end of a connection, and returns the other end. fn
// takes the stream over, or the stream is closed after it.
func serve(t *testing.T, g *Group, fn func(*Stream)) net.Conn {
	t.Helper()
	if g.Portable() {
		return serveConn(t, g, fn)
	}
	k := &task{}
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		fn(&k.Stream)
		if w.End() {
			k.Close()
		} else if k.state != closed {
			k.giveBack(func(Task) { k.Close() })
		}
	}
	peer := open(t, g.Next(), k)
	onLoop(t, k.loop, func(*Loop) any { k.Rest(0, true); return nil })
	return peer
}

// A handler suspends in the Conn that it was lent as in the stream, and in the one it
// took as well, until it returns.
func TestHandlerSuspendsInAConn(t *testing.T) {
	for _, take := range []bool{false, true} {
		g := newCalmGroup(t, Config{Loops: 1})
		l := g.Next()
		waiting, got := make(chan struct{}), make(chan any, 4)
		peer := serve(t, g, func(s *Stream) {
			c := NewConn(s)
			if take {
				got <- c.Take()
				defer c.Close()
				defer c.Leave()
			} else {
				got <- error(nil)
			}
			close(waiting)
			b := make([]byte, 8)
			n, err := c.Read(b)
			got <- string(b[:n])
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			_, err = c.Read(b)
			got <- isTimeout(err)
			_ = c.SetReadDeadline(time.Now().Add(time.Hour))
			go func() { _ = c.SetReadDeadline(pastTime) }()
			_, err = c.Read(b)
			got <- isTimeout(err)
		})
		simnet.Receive(t, waiting, "the handler")
		if n := onLoop(t, l, func(l *Loop) int { return l.suspended }); n != 1 {
			t.Errorf("taken %v: %d workers are suspended", take, n)
		}
		send(t, peer, "hello")
		for i, want := range []any{nil, "hello", true, true} {
			if have := simnet.Receive(t, got, "the handler"); have != want {
				t.Errorf("taken %v: step %d gave %v", take, i, have)
			}
		}
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("taken %v: the peer read %v", take, err)
		}
		simnet.Eventually(t, "the streams to go", func() bool {
			return onLoop(t, l, func(l *Loop) bool { return l.streams.used == 0 && l.orphans == 0 })
		})
	}
}

// The handler's stream can be given back at once, and serve another connection, while
// the Conn lives.
func TestTakenStreamIsUsedAgain(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	k, conns := &task{}, make(chan *Conn, 1)
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		c := NewConn(&k.Stream)
		if err := c.Take(); err != nil {
			t.Error(err)
		}
		c.Leave()
		w.End()
		k.Close()
		conns <- c
	}
	first := open(t, l, k)
	send(t, first, "first")
	c := simnet.Receive(t, conns, "the Conn")
	defer c.Close()
	k.serve = func(*Worker) { serveEcho(k) }
	second := open(t, l, k)
	send(t, second, "second")
	b := make([]byte, 16)
	if n, err := second.Read(b); string(b[:n]) != "second" || err != nil {
		t.Errorf("the second connection got %q, %v", b[:n], err)
	}
	if n, err := c.Read(b); string(b[:n]) != "first" || err != nil {
		t.Errorf("the Conn got %q, %v", b[:n], err)
	}
}

// Taken by a handler that has lost its loop, and by a goroutine of a handler that
// blocks for it.
func TestTakenWithoutTheLoop(t *testing.T) {
	for _, how := range []string{"handler", "goroutine"} {
		t.Run(how, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			l := g.Next()
			k, done := &task{}, make(chan error, 1)
			k.serve = func(w *Worker) {
				w.Begin(&k.Stream)
				c := NewConn(&k.Stream)
				took := make(chan error, 1)
				if how == "goroutine" {
					go func() { took <- c.Take() }()
				} else {
					for int64(l.Tally(TakenOver)) == 0 {
						time.Sleep(time.Millisecond) // sleep: the handler under test blocks
					}
					took <- c.Take()
				}
				err := <-took
				c.Leave()
				w.End()
				if err == nil {
					_, err = c.Write([]byte("taken"))
				}
				done <- errors.Join(err, c.Close())
			}
			peer := open(t, l, k)
			onLoop(t, l, func(*Loop) any { k.Rest(0, true); return nil })
			if err := simnet.Receive(t, done, "the handler"); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(peer); string(b) != "taken" || err != nil {
				t.Errorf("the peer got %q, %v", b, err)
			}
			simnet.Eventually(t, "the streams to go", func() bool {
				return onLoop(t, l, func(l *Loop) bool { return l.streams.used == 0 && l.orphans == 0 })
			})
		})
	}
}

// A socket of a worker's own is taken once the worker has lost its loop: it is one orphan, whoever
// has it.
func TestOwnStreamIsTakenWithoutTheLoop(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	taken, release := make(chan *Conn, 1), make(chan struct{})
	serve(t, g, func(s *Stream) {
		w := s.worker
		under, _ := w.Enter()
		own := up.connect(w, 1)[0]
		w.Leave(under)
		takeAway(t, l)
		c := NewConn(own)
		if err := c.Take(); err != nil {
			t.Error(err)
		}
		taken <- c
		<-release
	})
	c := simnet.Receive(t, taken, "the Conn")
	orphans(t, l, 2)
	close(release)
	orphans(t, l, 1)
	_ = c.Close()
	orphans(t, l, 0)
	up.hangUp(1)
	stopGroup(t, g)
}

// A handler that loses the loop after it has taken the socket leaves no orphan, and
// its stream to others.
func TestLoopIsLostAfterTaking(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	done := make(chan error, 1)
	peer := serve(t, g, func(s *Stream) {
		c := NewConn(s)
		if err := c.Take(); err != nil {
			done <- err
			return
		}
		defer c.Leave()
		for int64(l.Tally(TakenOver)) == 0 {
			time.Sleep(time.Millisecond) // sleep: the handler under test blocks
		}
		b := make([]byte, 8)
		n, err := c.Read(b) // as a goroutine
		if err == nil {
			_, err = c.Write(b[:n])
		}
		done <- errors.Join(err, c.Close())
	})
	simnet.Eventually(t, "the takeover", func() bool { return int64(l.Tally(TakenOver)) > 0 })
	send(t, peer, "hello")
	if err := simnet.Receive(t, done, "the handler"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(peer); string(b) != "hello" || err != nil {
		t.Errorf("the peer got %q, %v", b, err)
	}
	if n := onLoop(t, l, func(l *Loop) int { return l.orphans }); n != 0 {
		t.Errorf("there are %d orphans", n)
	}
}

// Nothing is taken from a group that is being stopped.
func TestTakenTooLate(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	got, go1 := make(chan error, 1), make(chan struct{})
	serve(t, g, func(s *Stream) {
		<-go1
		got <- NewConn(s).Take()
	})
	stopped := make(chan struct{})
	go func() { defer close(stopped); stopGroup(t, g) }()
	simnet.Eventually(t, "Stop", func() bool { return g.stop.Err() != nil })
	close(go1)
	if err := simnet.Receive(t, got, "the handler"); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	<-stopped
}
