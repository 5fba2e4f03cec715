//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Doze and WakeSleeper: a worker that waits for work on an open connection notices both.

package loop

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// dozing connects a worker of a new group to a listener and makes it doze; it sends what each doze
// ended with, and what there was to read then.
func dozing(t *testing.T) (peer net.Conn, l *Loop, s *Stream, woken chan error) {
	t.Helper()
	g, err := NewGroup(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	t.Cleanup(func() { g.Stop(); _ = ln.Close() })
	s, woken = new(Stream), make(chan error, 10)
	addr := sys.Addr{IP: netip.MustParseAddrPort(ln.Addr().String())}
	g.Loops()[0].Go(func(w *Worker) {
		if err := s.Connect(w, addr, 5000); err != nil {
			woken <- err
			return
		}
		defer s.Close()
		for {
			if err := s.Doze(); err != nil {
				woken <- err
				return
			}
			_, err := s.TryRead(make([]byte, 8))
			woken <- err
			if err != nil {
				return
			}
		}
	})
	peer, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return peer, g.Loops()[0], s, woken
}

func TestStirEndsADoze(t *testing.T) {
	peer, l, s, woken := dozing(t)
	for range 3 {
		l.Post(func(*Loop) { s.WakeSleeper() })
		if err := simnet.Receive(t, woken, "the dozer, stirred"); err != nil {
			t.Error(err)
		}
	}
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := simnet.Receive(t, woken, "the dozer, written to"); err != nil {
		t.Error(err)
	}
	_ = peer.Close()
	if err := simnet.Receive(t, woken, "the dozer, left alone"); err != io.EOF {
		t.Error(err)
	}
}

func TestStopEndsADoze(t *testing.T) {
	_, l, s, woken := dozing(t)
	l.Post(func(*Loop) { s.WakeSleeper() })
	if err := simnet.Receive(t, woken, "the dozer"); err != nil {
		t.Error(err)
	}
	l.Group().Stop()
	if err := simnet.Receive(t, woken, "the dozer, at the end"); err != ErrClosed {
		t.Error(err)
	}
}

func TestStirEndsASleep(t *testing.T) {
	g, err := NewGroup(Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	defer g.Stop()
	var s Stream
	asleep, ended := make(chan struct{}), make(chan error, 1)
	g.Next().Go(func(w *Worker) {
		close(asleep)
		ended <- s.Sleep(w, time.Hour.Milliseconds())
	})
	<-asleep
	g.Loops()[0].Post(func(*Loop) { s.WakeSleeper() })
	if err := simnet.Receive(t, ended, "the sleeper"); err != nil {
		t.Error(err)
	}
}
