// What user code may do at the end of a server: in Events.Close, in a listener that it supplies,
// and in its log. Shutdown ends by its deadline.

package engine_test

import (
	"context"
	"io"
	"log"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// over is a context that has ended.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestCloseEventMayFail: the server is closed all the same, Shutdown waits for a slow Events.Close,
// and so does Wait.
func TestCloseEventMayFail(t *testing.T) {
	simnet.KeepProcs(t)
	allDrivers(t, func(t *testing.T, d driver) {
		for how, mishap := range mishaps {
			t.Log(how)
			s := prepare(t, d, hello)
			here, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			s.On.Close = func() {
				defer close(done)
				close(here)
				mishap(func() { <-proceed })
			}
			s.listen()
			s.dial().get("/", "hello")
			ended, waited := make(chan error, 1), make(chan error, 1)
			go func() { waited <- s.Wait() }()
			go func() { ended <- s.Shutdown(context.Background()) }()
			simnet.Receive(t, here, "Events.Close")
			close(proceed)
			simnet.Receive(t, done, "Events.Close to end")
			if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
				t.Errorf("%s: Shutdown ended with %v", how, err)
			}
			if err := simnet.Receive(t, waited, "Wait"); err != nil {
				t.Errorf("%s: Wait ended with %v", how, err)
			}
			s.log.take()
		}
	})
}

// TestCloseEventMayNeverReturn: Shutdown ends by its deadline, Close after a while, and Wait with
// either of them.
func TestCloseEventMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		for _, end := range []struct {
			name string
			call func(s *engine.Server) error
			want error
		}{
			{"Shutdown", func(s *engine.Server) error { return s.Shutdown(over()) }, context.Canceled},
			{"Close", func(s *engine.Server) error { return s.Close() }, nil},
			{"Close during Shutdown", func(s *engine.Server) error {
				go func() { _ = s.Shutdown(context.Background()) }()
				return s.Close()
			}, nil},
		} {
			s := prepare(t, d, hello)
			here, release := make(chan struct{}), make(chan struct{})
			s.On.Close = func() {
				close(here)
				<-release
			}
			s.listen()
			s.dial().get("/", "hello")
			waited, ended := make(chan error, 1), make(chan error, 1)
			go func() { waited <- s.Wait() }()
			go func() { ended <- end.call(s.Server) }()
			simnet.Receive(t, here, "Events.Close")
			if err := simnet.Receive(t, ended, end.name); err != end.want {
				t.Errorf("%s ended with %v", end.name, err)
			}
			simnet.Receive(t, waited, "Wait")
			close(release)
		}
	})
}

// TestListenerMayNeverReturn: Shutdown ends by its deadline, and the server's methods work
// meanwhile.
func TestListenerMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		for _, method := range []string{"Accept", "Close", "Addr"} {
			s := start(t, d, hello)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			here, release, served := make(chan struct{}, 9), make(chan struct{}), make(chan struct{})
			never := func() {
				here <- struct{}{}
				<-release
			}
			bad := userListener{Listener: l}
			switch method {
			case "Accept":
				bad.accept = never
			case "Close":
				bad.close = never
			case "Addr":
				bad.addr = never
			}
			go func() {
				defer close(served)
				_ = s.Serve(bad)
			}()
			if method != "Close" {
				simnet.Receive(t, here, method)
			} else if !simnet.Becomes(func() bool { return len(s.Addrs()) == 2 }) {
				t.Fatal("it does not listen")
			}
			s.dial().get("/", "hello")
			ended := make(chan error, 1)
			go func() { ended <- s.Shutdown(over()) }()
			simnet.Receive(t, ended, "Shutdown")
			_ = s.Stats()
			_ = s.Addrs()
			close(release)
			simnet.Receive(t, served, "Serve")
		}
	})
}

// TestConnMayFail: a net.Conn of the user's that panics, calls runtime.Goexit or does not return
// affects no other connection. Shutdown ends by its deadline.
func TestConnMayFail(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		for _, method := range []string{"Read", "Write", "Close", "SetReadDeadline", "Close of what is idle"} {
			for _, how := range []string{"panics", "exits", "never returns"} {
				s := prepare(t, d, hello)
				s.ErrorLog = log.New(io.Discard, "", 0)
				began := make(chan struct{})
				s.On.Listening = func() { close(began) }
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				var next atomic.Pointer[userConn]
				go func() { _ = s.Serve(armed(l, &next)) }()
				simnet.Receive(t, began, "Serve to begin")
				here, release := make(chan struct{}), make(chan struct{})
				var once sync.Once
				call, idle := strings.CutSuffix(method, " of what is idle")
				next.Store(&userConn{before: in(call, func() {
					once.Do(func() { close(here) })
					switch how {
					case "panics":
						panic("mishap")
					case "exits":
						runtime.Goexit()
					default:
						<-release
					}
				})})
				c := s.dial()
				if idle {
					c.get("/", "hello")
				} else {
					c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
					simnet.Receive(t, here, method)
				}
				var others [4]*client
				for i := range others {
					others[i] = s.dial()
					others[i].get("/", "hello")
					others[i].send("GET / HT") // it is not idle, and so is cut
				}
				ended := make(chan error, 1)
				go func() { ended <- s.Shutdown(over()) }()
				simnet.Receive(t, ended, "Shutdown")
				simnet.Receive(t, here, method)
				for _, other := range others {
					_ = other.cut()
				}
				close(release)
			}
		}
	})
}

// The deadline that Shutdown sets on a connection, for a request that may still come, does not
// affect one that does come, however late the net.Conn learns of the deadline.
func TestLateDeadlineOfShutdown(t *testing.T) {
	s := prepare(t, drivers[0], nil)
	begun, here, release, told := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{}, 99)
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if string(req.URL()) == "/echo" {
			close(begun)
		}
		echo(req, res)
	}
	listening := make(chan struct{})
	s.On.Listening = func() { close(listening) }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var retiring atomic.Bool
	var next atomic.Pointer[userConn]
	next.Store(&userConn{before: in("SetReadDeadline", func() {
		if retiring.Swap(false) {
			close(here)
			<-release
		}
	}), after: in("SetReadDeadline", func() {
		select {
		case <-release:
			told <- struct{}{}
		default:
		}
	})})
	go func() { _ = s.Serve(armed(l, &next)) }()
	simnet.Receive(t, listening, "Serve to begin")
	c := s.dial()
	c.get("/", "")
	if !simnet.Becomes(func() bool { return s.Waiting() == 1 }) {
		t.Fatal("the connection does not wait for another request")
	}
	retiring.Store(true)
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	simnet.Receive(t, here, "SetReadDeadline")
	c.send(headOf("/echo", 4) + "ab")
	time.Sleep(soon) // sleep: a deadline that has passed when the connection is told of it is the subject
	close(release)
	simnet.Receive(t, told, "the connection to be told")
	simnet.Receive(t, begun, "the handler")
	c.send("cd")
	c.expect(200, "abcd")
	_ = c.Close()
	if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
		t.Error(err)
	}
}

// TestListenerMayFail: a listener whose Close panics or exits does not keep the server from
// closing.
func TestListenerMayFail(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		for _, mishap := range []func(){func() { panic("not closed") }, runtime.Goexit} {
			s := start(t, d, hello)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var closed atomic.Bool
			served := make(chan error, 1)
			go func() {
				served <- s.Serve(userListener{Listener: l, close: func() {
					if _ = l.Close(); !closed.Swap(true) {
						mishap()
					}
				}})
			}()
			if !simnet.Becomes(func() bool { return len(s.Addrs()) == 2 }) {
				t.Fatal("it does not listen")
			}
			if err := s.Shutdown(context.Background()); err != nil {
				t.Error(err)
			}
			simnet.Receive(t, served, "Serve")
			s.log.take()
		}
	})
}

// eachLog is eachEvent for what logs call: a handler that panics, and a handshake that fails.
func eachLog(t *testing.T, d driver, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	writes := func(armed *atomic.Pointer[func()]) *log.Logger {
		return log.New(callWriter(func() {
			if do := armed.Swap(nil); do != nil {
				(*do)()
			}
		}), "", 0)
	}
	t.Run("handler", func(t *testing.T) {
		var armed atomic.Pointer[func()]
		s := prepare(t, d, routes(map[string]engine.Handler{"/hook": func(*engine.Request, *engine.Response) { panic("logged") }}))
		s.ErrorLog = writes(&armed)
		s.listen()
		test(t, s, &armed, func() { s.dial().send(request("/hook")) })
	})
	t.Run("handshake", func(t *testing.T) {
		var armed atomic.Pointer[func()]
		s := prepareTLS(t, d, hello)
		s.ErrorLog = writes(&armed)
		s.over = s.client
		s.listen()
		test(t, s.server, &armed, func() { s.dial().send("nonsense\r\n\r\n") })
	})
}

func TestLogsMayFail(t *testing.T) {
	simnet.KeepProcs(t)
	allDrivers(t, func(t *testing.T, d driver) { eachLog(t, d, mayFail) })
}

// TestLogsMayNeverReturn: Shutdown ends by its deadline.
func TestLogsMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachLog(t, d, mayNeverReturn) })
}
