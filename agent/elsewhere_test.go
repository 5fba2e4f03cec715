// What a handler gives to other goroutines, waits for where no other handler may begin, or leaves to
// its agent when its server ends.

package agent_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/simnet"
)

func echoBody(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_, _ = w.Write(b)
}

// A ClientRequest that a handler has made is used by another goroutine, while the handler makes
// calls of its own on the loop.
func TestClientRequestOnAnotherGoroutine(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			up := newServer(t, echoBody)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL, req.Method, req.Body = up.URL, "POST", []byte("own")
				for range 10 {
					c := a.NewRequest(ctx, &agent.Request{URL: up.URL, Method: "POST"})
					done := make(chan struct{})
					go func() {
						defer close(done)
						_, _ = io.WriteString(c, "else")
						_ = c.End([]byte("where"))
						res, err := c.Response()
						if err != nil {
							t.Error(err)
							return
						}
						if b, err := io.ReadAll(res); err != nil || string(b) != "elsewhere" {
							t.Errorf("%q, %v", b, err)
						}
					}()
					for range 3 {
						if _, body := ask(t, a, ctx, &req, &res); body != "own" {
							t.Errorf("%q", body)
						}
					}
					<-done
				}
			})
		})
	}
}

// A Response whose socket is the handler's own is read to its end, which gives the socket back, by
// another goroutine, while the handler waits for its client.
func TestResponseOnAnotherGoroutine(t *testing.T) {
	up := newServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 100_000)) })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	read := make(chan int, 1)
	s := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		var req agent.Request
		res := new(agent.Response)
		req.URL = up.URL
		if err := a.Do(in.Context(), &req, res); err != nil {
			t.Error(err)
		}
		go func() {
			b, err := io.ReadAll(res)
			if err != nil {
				t.Error(err)
			}
			read <- len(b)
		}()
		_, _ = io.Copy(io.Discard, in)
	}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 10 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
		if n := simnet.Receive(t, read, "the response"); n != 100_000 {
			t.Errorf("%d bytes", n)
		}
		_, _ = io.WriteString(c, "b")
		simnet.ReadHead(c)
		_ = c.Close()
	}
}

// A handler gets a connection, although it is the only one that may run.
func TestDialWhileNoHandlerMayBegin(t *testing.T) {
	up := newServer(t, echoBody)
	a := newAgent(t, &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Dial: simnet.Patience / 2}})
	inHandler(t, &engine.Server{Loops: 1, Limits: engine.Limits{Suspended: 1}}, func(ctx context.Context) {
		var req agent.Request
		var res agent.Response
		req.URL, req.Method, req.Body = up.URL, "POST", []byte("x")
		if _, body := ask(t, a, ctx, &req, &res); body != "x" {
			t.Errorf("%q", body)
		}
	})
}

// An agent that outlives many servers keeps nothing of their loops.
func TestAgentForgetsServersThatHaveEnded(t *testing.T) {
	if !loop.HavePoller {
		t.Skip("there are no loops")
	}
	up := newServer(t, echoBody)
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	serve := func() {
		inHandler(t, &engine.Server{Loops: 1}, func(ctx context.Context) {
			var req agent.Request
			var res agent.Response
			req.URL, req.Method, req.Body = up.URL, "POST", []byte("x")
			ask(t, a, ctx, &req, &res)
		})
	}
	for range 10 {
		serve()
	}
	// A late handler of the server before may still be ending.
	simnet.Eventually(t, "the loops to be forgotten", func() bool { serve(); return agent.Lanes(a) <= 1 })
}
