// The end of a server: Close in every state that a connection can be in, Wait, and
// the contexts of requests.

package engine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// closeNow closes the server on another goroutine and waits until it has.
func (s *server) closeNow() {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Close() }()
	if err := simnet.Receive(s.t, done, "Close to return"); err != nil {
		s.t.Errorf("Close returned %v", err)
	}
}

func TestCloseEndsConnectionsAtRest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, hello)
		fresh, used, begun := s.dial(), s.dial(), s.dial()
		used.get("/", "hello")
		begun.get("/", "hello")
		begun.send("GET / HTT")
		if !simnet.Becomes(func() bool { return s.Connections() == 3 }) {
			t.Fatal("three connections should be open")
		}
		addr := s.Addr().String()
		s.closeNow()
		for _, c := range []*client{fresh, used, begun} {
			if got := c.cut(); got != "" {
				t.Errorf("got %q", got)
			}
		}
		again := prepare(t, d, hello)
		if err := again.Listen("tcp", addr); err != nil {
			t.Fatalf("the address is not free again: %v", err)
		}
		again.dial().get("/", "hello")
	})
}

func TestCloseEndsSuspendedHandlers(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading, results := make(chan struct{}), make(chan error, 4)
		s := start(t, d, routes(map[string]engine.Handler{
			"/read": func(req *engine.Request, res *engine.Response) {
				reading <- struct{}{}
				_, err := readAll(req)
				results <- err
				_ = res.EndString("too late")
			},
			"/foreign": func(req *engine.Request, res *engine.Response) {
				done := make(chan error)
				go func() {
					reading <- struct{}{}
					_, err := readAll(req)
					done <- err
				}()
				results <- <-done
			},
			"/write": func(_ *engine.Request, res *engine.Response) {
				reading <- struct{}{}
				results <- pattern(res, 64<<20)
			},
		}))
		paths := []string{"/read", "/read", "/foreign", "/write"}
		for _, path := range paths {
			s.dial().send(headOf(path, 10))
			simnet.Receive(t, reading, "the handler")
		}
		s.dial().get("/", "hello")
		s.closeNow()
		for range paths {
			if err := simnet.Receive(t, results, "the handlers to return"); err != engine.ErrClosed {
				t.Errorf("a wait ended with %v", err)
			}
		}
		// A handler that has lost its loop sends its result a moment before it lets go.
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Errorf("%d connections are left", s.Connections())
		}
	})
}

// TestCloseWithHandlersThatHaveLostTheirLoop: Close ends their context, and does not wait for one
// that ignores it.
func TestCloseWithHandlersThatHaveLostTheirLoop(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		blocked, proceed, returned := make(chan struct{}), make(chan struct{}), make(chan error, 2)
		s := start(t, d, routes(map[string]engine.Handler{
			"/polite": func(req *engine.Request, res *engine.Response) {
				blocked <- struct{}{}
				<-req.Context().Done()
				returned <- req.Context().Err()
			},
			"/deaf": func(req *engine.Request, res *engine.Response) {
				blocked <- struct{}{}
				<-proceed
				_, err := readAll(req)
				if e := res.EndString("late"); e == nil && err == nil {
					err = errors.New("everything went well after Close")
				}
				returned <- err
			},
		}))
		for _, path := range []string{"/polite", "/deaf"} {
			s.dial().send(headOf(path, 10))
			simnet.Receive(t, blocked, "the handler to block")
		}
		s.dial().get("/", "hello")
		s.closeNow()
		if err := simnet.Receive(t, returned, "the polite handler"); err != context.Canceled {
			t.Errorf("the context ended with %v", err)
		}
		close(proceed)
		if err := simnet.Receive(t, returned, "the deaf handler"); err == nil {
			t.Error("the deaf handler could read after Close")
		}
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Errorf("%d connections are left", s.Connections())
		}
	})
}

// TestCloseFromHandlers: `go s.Close()`, and many of them at once.
func TestCloseFromHandlers(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var s *server
		s = prepare(t, d, func(req *engine.Request, res *engine.Response) {
			go func() { _ = s.Close() }()
			<-req.Context().Done()
		})
		s.listen()
		for _, c := range []*client{s.dial(), s.dial(), s.dial()} {
			_, _ = io.WriteString(c, request("/")) // the first may have closed the others by now
		}
		done := make(chan struct{})
		go func() {
			_ = s.Wait()
			close(done)
		}()
		simnet.Receive(t, done, "Wait to return")
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseTwiceAndBefore(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		waited := make(chan error, 1)
		go func() { waited <- s.Wait() }()
		s.closeNow()
		s.closeNow()
		simnet.Receive(t, waited, "Wait to return")
		if err := s.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, engine.ErrServerClosed) {
			t.Errorf("Listen after Close: %v", err)
		}
		s = start(t, d, hello)
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _ = s.Close() })
		}
		all.Wait()
	})
}

// TestCloseUnderLoad: connections come, are served and go while the server closes.
func TestCloseUnderLoad(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for range 5 {
			s := start(t, d, echo)
			var all sync.WaitGroup
			served := make(chan struct{}, 100)
			for range 8 {
				all.Go(func() {
					for {
						c, err := tryDial(s.Server)
						if err != nil {
							return
						}
						_, _ = io.WriteString(c, post("/", "body"))
						b, err := io.ReadAll(io.LimitReader(c, 20))
						_ = c.Close()
						if err != nil || len(b) < 20 {
							return
						}
						select {
						case served <- struct{}{}:
						default:
						}
					}
				})
			}
			for range 50 {
				simnet.Receive(t, served, "requests to be served")
			}
			s.closeNow()
			all.Wait()
		}
	})
}

// TestContext: one per connection, for all its requests; it ends with the connection, and with the
// server.
func TestContext(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		contexts := make(chan context.Context, 2)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			ctx := req.Context()
			if ctx != req.Context() || ctx.Err() != nil {
				t.Errorf("the context is %v, or two", ctx.Err())
			}
			contexts <- ctx
			hello(req, res)
		})
		c, other := s.dial(), s.dial()
		c.get("/", "hello")
		first := simnet.Receive(t, contexts, "the request")
		c.get("/", "hello")
		if again := simnet.Receive(t, contexts, "the request"); again != first {
			t.Error("a connection has two contexts")
		}
		other.get("/", "hello")
		second := simnet.Receive(t, contexts, "the request")
		if second == first || first.Err() != nil {
			t.Errorf("contexts %v and %v", first, second)
		}
		_ = c.Close()
		simnet.Receive(t, first.Done(), "the context to end with its connection")
		if second.Err() != nil {
			t.Error("the context of another connection has ended too")
		}
		s.closeNow()
		simnet.Receive(t, second.Done(), "the context to end with the server")
	})
}

// TestContextEndsAtHangUp: while its handler waits for something else, in every possible way.
func TestContextEndsAtHangUp(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller a hang-up is only seen by reading")
	}
	waits := map[string]func(req *engine.Request, res *engine.Response) error{
		"blocked": func(req *engine.Request, _ *engine.Response) error {
			<-req.Context().Done()
			return req.Context().Err()
		},
		"reading": func(req *engine.Request, _ *engine.Response) error {
			ctx := req.Context()
			if _, err := readAll(req); err == nil {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
		"writing": func(req *engine.Request, res *engine.Response) error {
			ctx := req.Context()
			if err := pattern(res, 64<<20); err == nil {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		},
	}
	for _, d := range drivers[:2] {
		for name, h := range waits {
			t.Run(d.name+", "+name, func(t *testing.T) {
				began, ended := make(chan struct{}), make(chan error, 1)
				s := start(t, d, routes(map[string]engine.Handler{"/wait": func(req *engine.Request, res *engine.Response) {
					close(began)
					ended <- h(req, res)
				}}))
				c := s.dial()
				c.send(headOf("/wait", 10))
				simnet.Receive(t, began, "the handler")
				s.dial().get("/", "hello")
				_ = c.Close()
				if err := simnet.Receive(t, ended, "the context to end"); err != context.Canceled {
					t.Errorf("ended with %v", err)
				}
			})
		}
	}
}

// TestHalfClosedPeerGetsItsAnswer: its context ends, and it is answered all the same.
func TestHalfClosedPeerGetsItsAnswer(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		began, proceed := make(chan struct{}), make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			heard := req.Context().Done()
			close(began)
			if d.portable || !havePoller {
				heard = proceed // a hang-up is only seen by reading there
			}
			<-heard
			_, _ = res.WriteString(strings.Repeat("x", 10_000))
			_ = res.EndString("y")
		})
		c := s.dial()
		c.send(request("/"))
		simnet.Receive(t, began, "the handler")
		c.halfClose()
		close(proceed)
		c.expect(200, strings.Repeat("x", 10_000)+"y")
		if got := c.ended(); got != "" {
			t.Errorf("more came: %q", got)
		}
	})
}

// A peer that keeps dripping bytes after an answer that ended the connection is read on for no
// longer than a silent one.
func TestLingerEnds(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		c := start(t, d, hello).dial()
		c.send("nonsense\r\n\r\n")
		if a := c.next(""); a.StatusCode != 400 {
			t.Fatalf("got %d", a.StatusCode)
		}
		for drops := 0; ; drops++ {
			if _, err := c.Write([]byte("x")); err != nil {
				return
			}
			if drops == 100 {
				t.Fatal("the connection is still there")
			}
			time.Sleep(50 * time.Millisecond) // sleep: the pace of the peer
		}
	})
}
