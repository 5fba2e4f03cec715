// Shutdown: idle connections go at once, answers under way are finished and say
// that they are the last, and the deadline is kept.

package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

func TestShutdownFinishesWhatIsUnderWay(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		asked, goOn := make(chan struct{}), make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			if string(req.URL()) == "/slow" {
				asked <- struct{}{}
				<-goOn
			}
			_ = res.EndString("done")
		})
		idle, busy, halfway := s.dial(), s.dial(), s.dial()
		idle.get("/", "done")
		halfway.get("/", "done")
		busy.send(request("/slow"))
		simnet.Receive(t, asked, "the slow request")
		if !d.portable { // there, whether it was read before Shutdown is chance
			halfway.send("GET / HTTP/1.1\r\n")
		}

		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }()
		if rest := idle.ended(); rest != "" {
			t.Errorf("the idle connection was sent %q", rest)
		}
		last := []*client{busy}
		if !d.portable {
			halfway.send("Host: a\r\n\r\n")
			last = append(last, halfway)
		}
		close(goOn)
		for _, c := range last {
			if a := c.expect(200, "done"); !a.Close {
				t.Errorf("the last answer does not say so: %v", a.Header)
			}
			c.ended()
			_ = c.Close() // the server reads on until then
		}
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownKeepsItsDeadline(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		asked, ended := make(chan struct{}), make(chan error, 1)
		s := start(t, d, func(req *engine.Request, _ *engine.Response) {
			close(asked)
			<-req.Context().Done() // until Close, after the deadline, ends it
		})
		s.dial().send(request("/"))
		simnet.Receive(t, asked, "the request")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		go func() { ended <- s.Shutdown(ctx) }()
		if err := simnet.Receive(t, ended, "Shutdown"); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}

// TestShutdownServesTheQueue: a client that had connected and sent a request before Shutdown was
// called is answered, whether its connection had been accepted or not.
func TestShutdownServesTheQueue(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for range 5 {
			s := start(t, d, hello)
			clients := make([]*client, 100)
			for i := range clients {
				clients[i] = s.dial()
				clients[i].send(request("/"))
			}
			addr, ended := s.Addr().String(), make(chan error, 1)
			go func() { ended <- s.Shutdown(context.Background()) }()
			for _, c := range clients {
				c.expect(200, "hello")
				if rest := c.ended(); rest != "" {
					t.Errorf("more came: %q", rest)
				}
				_ = c.Close()
			}
			if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
				t.Error(err)
			}
			if c, err := net.Dial("tcp", addr); err == nil {
				_ = c.Close()
				t.Error("the server still listens")
			}
		}
	})
}

// TestShutdownWaits for bodies that come slowly, in whatever way they are read, and serves no
// request after the one under way.
func TestShutdownWaits(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		reading := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{
			"/read": func(req *engine.Request, res *engine.Response) {
				reading <- struct{}{}
				echo(req, res)
			},
			"/foreign": func(req *engine.Request, res *engine.Response) {
				done := make(chan struct{})
				go func() {
					defer close(done)
					reading <- struct{}{}
					echo(req, res)
				}()
				<-done
			},
		}))
		var clients []*client
		for _, path := range []string{"/read", "/foreign"} {
			c := s.dial()
			c.send(headOf(path, 8) + "0123")
			simnet.Receive(t, reading, "the handler")
			clients = append(clients, c)
		}
		idle, ended := s.dial(), make(chan error, 1)
		idle.get("/", "hello")
		addr := s.Addr().String()
		go func() { ended <- s.Shutdown(context.Background()) }()
		idle.ended() // now it is under way
		// Its listener may be closed after the idle connection is.
		refuses := func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		}
		if !simnet.Becomes(refuses) {
			t.Error("the server still takes connections")
		}
		for _, c := range clients {
			c.send("4567" + request("/never"))
			if a := c.expect(200, "01234567"); !a.Close {
				t.Error("the last answer does not say so")
			}
			if rest := c.ended(); rest != "" {
				t.Errorf("more came: %q", rest)
			}
			_ = c.Close()
		}
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownGivesTheFirstRequestTime: a client that has connected and sent nothing yet may still
// send a request, however slowly its body comes. If it does not, its connection is closed.
func TestShutdownGivesTheFirstRequestTime(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		reading := make(chan struct{}, 1)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			if string(req.Method()) == "POST" {
				reading <- struct{}{}
			}
			echo(req, res)
		})
		fresh, silent, idle := s.dial(), s.dial(), s.dial()
		idle.get("/", "")
		if !simnet.Becomes(func() bool { return s.Connections() == 3 }) {
			t.Fatal("not all were accepted")
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }()
		idle.ended() // now it is under way
		fresh.send(headOf("/", 8) + "0123")
		simnet.Receive(t, reading, "the handler")
		if rest := silent.ended(); rest != "" { // the time for a first request is over
			t.Errorf("the silent connection was sent %q", rest)
		}
		fresh.send("4567")
		if a := fresh.expect(200, "01234567"); !a.Close {
			t.Error("the answer does not say that it is the last")
		}
		fresh.ended()
		_ = fresh.Close()
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownTwiceAndBefore(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := s.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, engine.ErrServerClosed) {
			t.Errorf("Listen after Shutdown: %v", err)
		}
		busy, proceed := make(chan struct{}), make(chan struct{})
		s = start(t, d, func(*engine.Request, *engine.Response) {
			close(busy)
			<-proceed
		})
		c := s.dial()
		c.send(request("/"))
		simnet.Receive(t, busy, "the handler")
		waiting, ended := make(chan struct{}, 100), make(chan error, 3)
		for range 3 {
			go func() { ended <- s.Shutdown(watched{context.Background(), waiting}) }()
		}
		for range 2 * 3 { // once for what it is about to do, and once in there
			simnet.Receive(t, waiting, "each call to wait")
		}
		if err := s.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, engine.ErrServerClosed) {
			t.Errorf("Listen while the server shuts down: %v", err)
		}
		close(proceed)
		c.expect(200, "")
		_ = c.Close()
		for range 3 {
			if err := simnet.Receive(t, ended, "all calls to return"); err != nil {
				t.Error(err)
			}
		}
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// watched is a context that reports when a goroutine waits for it.
type watched struct {
	context.Context
	waiting chan<- struct{}
}

func (w watched) Done() <-chan struct{} {
	w.waiting <- struct{}{}
	return w.Context.Done()
}

// startServe starts a server that accepts on a listener of package net.
func startServe(t *testing.T, d driver, h engine.Handler) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, began := prepare(t, d, h), make(chan struct{})
	s.On.Listening = func() { close(began) }
	go func() { _ = s.Serve(l) }()
	simnet.Receive(t, began, "Serve to begin")
	return s
}

// TestShutdownWhileConnectionsKeepComing: they do not keep it from ending.
func TestShutdownWhileConnectionsKeepComing(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		s := startServe(t, d, hello)
		came, ended := make(chan struct{}, 1), make(chan error, 1)
		over := make(chan struct{})
		go func() {
			defer close(over)
			for {
				c, err := tryDial(s.Server)
				if err != nil {
					return // as it is to be
				}
				_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
				select {
				case came <- struct{}{}:
				default:
				}
			}
		}()
		simnet.Receive(t, came, "the first to be served")
		go func() { ended <- s.Shutdown(context.Background()) }()
		if err := simnet.Receive(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
		simnet.Receive(t, over, "the listener to be closed")
	})
}

// TestShutdownHeedsItsContext also while it waits for connections that may be queued.
func TestShutdownHeedsItsContext(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := startServe(t, d, hello)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}
