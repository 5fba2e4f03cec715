// Close, where listeners and connections are user code that fails.

package engine_test

import (
	"io"
	"log"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// serveBeside serves l beside the server's own listener, until the end of the test.
func serveBeside(t *testing.T, d driver, handler engine.Handler, l *userListener) (s *server, addr string) {
	t.Helper()
	s = prepare(t, d, handler)
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.listen()
	var err error
	if l.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Listener.Close() })
	go func() { _ = s.Serve(l) }()
	if !simnet.Becomes(func() bool { return len(s.Addrs()) == 2 }) {
		t.Fatal("it does not listen")
	}
	return s, l.Listener.Addr().String()
}

// TestCloseWithoutWhatIsStuck: Close returns, and whatever it can close is closed at once.
func TestCloseWithoutWhatIsStuck(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		for _, method := range []string{"Close of the listener", "Close", "Close of its own", "Read"} {
			release, here := make(chan struct{}), make(chan struct{})
			var armed atomic.Bool
			var once sync.Once
			never := func() {
				if armed.Load() {
					once.Do(func() { close(here) })
					<-release
				}
			}
			l := new(userListener)
			switch method {
			case "Close of the listener":
				l.close = never
			case "Read":
				l.conn = func(c net.Conn) net.Conn { return userConn{c, in("Read", never), nil} }
			default:
				l.conn = func(c net.Conn) net.Conn { return userConn{c, in("Close", never), nil} }
			}
			s, addr := serveBeside(t, d, hello, l)
			own, bad := s.dial(), dialTo(t, "tcp", addr)
			own.get("/", "hello")
			own.send("GET / HT") // it is not idle
			bad.get("/", "hello")
			armed.Store(true)
			switch method {
			case "Close of its own":
				bad.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				simnet.Receive(t, here, method)
			case "Read":
				bad.send("GET / HT") // the Read under way may not have been armed; the next one is
				simnet.Receive(t, here, method)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Close() }()
			simnet.Receive(t, here, method)
			_ = own.cut()
			if err := simnet.Receive(t, ended, "Close with a stuck "+method); err != nil {
				t.Error(err)
			}
			close(release)
		}
	})
}

// TestCloseCountsConnections: a connection that comes while the server closes, and panics when it is
// closed, is counted once.
func TestCloseCountsConnections(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		closing, release := make(chan struct{}), make(chan struct{})
		l := &userListener{close: func() {
			close(closing)
			<-release
		}, conn: func(c net.Conn) net.Conn { return userConn{c, nil, in("Close", func() { panic("mishap") })} }}
		s, addr := serveBeside(t, d, hello, l)
		ended := make(chan error, 1)
		go func() { ended <- s.Close() }()
		simnet.Receive(t, closing, "Close of the listener")
		for range 4 {
			if c, err := net.Dial("tcp", addr); err == nil {
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}
		}
		close(release)
		simnet.Receive(t, ended, "Close")
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Errorf("%d connections", s.Connections())
		}
	})
}

// TestCloseClosesOnce: a connection that is user code is closed once to end its reads, and once by
// the goroutine that serves it.
func TestCloseClosesOnce(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		var n atomic.Int32
		here, release := make(chan struct{}), make(chan struct{})
		l := &userListener{conn: func(c net.Conn) net.Conn { return userConn{c, in("Close", func() { n.Add(1) }), nil} }}
		s, addr := serveBeside(t, d, func(*engine.Request, *engine.Response) {
			close(here)
			<-release
		}, l)
		dialTo(t, "tcp", addr).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		simnet.Receive(t, here, "the handler")
		if err := s.Close(); err != nil || n.Load() != 1 {
			t.Errorf("%v, closed %d times", err, n.Load())
		}
		close(release)
		if !simnet.Becomes(func() bool { return n.Load() == 2 }) {
			t.Errorf("closed %d times", n.Load())
		}
	})
}
