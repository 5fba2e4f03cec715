// Requests that are lent: a goroutine will read them that may come late. An agent tells the engine,
// by the request itself and by its context.

package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/pool"
)

// A goroutine that was lent a request and begins to read it after its handler has returned finds it
// over, and not another client's request.
func TestLentRequestIsNotReused(t *testing.T) {
	if pool.Debug {
		t.Skip("with galedebug no request is used again, and a late reader panics")
	}
	lend := map[string]func(req *engine.Request){
		"/request": func(req *engine.Request) { req.Received().Lend() },
		"/context": func(req *engine.Request) { loop.Lend(req.Context()) },
		"/derived": func(req *engine.Request) { loop.Lend(context.WithoutCancel(req.Context())) },
	}
	eachDriver(t, func(t *testing.T, d driver) {
		kept, reading, read := make(chan *engine.Request, 1), make(chan *engine.Request), make(chan error)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			if do := lend[string(req.URL())]; do != nil {
				do(req)
				kept <- req
			} else if string(req.URL()) == "/body" {
				reading <- req
				if err := <-read; !errors.Is(err, engine.ErrOver) {
					t.Errorf("a late reader gets %v", err)
				}
			}
			_ = res.End(nil)
		})
		c := s.dial()
		for path := range lend {
			c.get(path, "")
			late := simnet.Receive(t, kept, "the handler")
			c.send(post("/body", "another one's"))
			if req := simnet.Receive(t, reading, "the next handler"); req == late {
				t.Errorf("%s: a request that was lent is used again", path)
			}
			go func() {
				_, err := late.Read(make([]byte, 10))
				read <- err
			}()
			c.expect(200, "")
		}
	})
}

// A context that was kept must not affect the request of another connection that the same responder
// serves.
func TestKeptContextLendsNothing(t *testing.T) {
	if pool.Debug {
		t.Skip("with galedebug no request is used again")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		if !d.loops1() || d.dispatch == engine.Goroutine {
			return // the next request has another responder there, whatever becomes of this one
		}
		for _, path := range []string{"/keep", "/elsewhere"} {
			for disturbed := true; disturbed; {
				contexts, requests := make(chan context.Context, 1), make(chan *engine.Request, 1)
				s := start(t, d, func(req *engine.Request, res *engine.Response) {
					switch string(req.URL()) {
					case "/keep":
						contexts <- req.Context()
					case "/elsewhere":
						done := make(chan struct{})
						go func() {
							contexts <- req.Context()
							close(done)
						}()
						<-done
					case "/lend":
						loop.Lend(<-contexts)
					}
					requests <- req
					_ = res.End(nil)
				})
				a, b := s.dial(), s.dial()
				a.get(path, "")
				simnet.Receive(t, requests, "the handler")
				b.get("/lend", "")
				lends := simnet.Receive(t, requests, "the handler")
				b.get("/", "")
				same := simnet.Receive(t, requests, "the handler") == lends
				// A handler that has lost its loop is followed by another responder.
				stats := s.Stats()
				if disturbed = !same && stats.TakenOver+stats.HandedOff > 0; !same && !disturbed {
					t.Errorf("%s: the context lends the request of another connection", path)
				}
				_ = s.Close()
			}
		}
	})
}
