// Panics in user code: the error that the call returns.

package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// TestPanicErrors: the text is one line with the operation, the value and the place of the panic;
// the stack is a field of the error.
func TestPanicErrors(t *testing.T) {
	simnet.KeepProcs(t)
	for i := range spots {
		p := &spots[i]
		if !p.aside && p.name != "trailers of Source" && p.name != "WroteRequest, of a Source" {
			continue // the caller gets the panic itself
		}
		t.Run(p.name, func(t *testing.T) {
			h := newHazard(t, p, 0)
			boom := func() { panic(io.ErrClosedPipe) }
			lines := func() { panic("two\nlines") }
			for _, do := range []*func(){&boom, &lines} {
				var err error
				for range 100 {
					h.agent.CloseFreeSockets()
					h.armed.Store(do)
					err = simnet.Receive(t, h.run(p, false, t.Context()), "the call")
					if err != nil || p.aside { // else the response may have been complete before
						break
					}
				}
				var e *agent.PanicError
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				text := err.Error()
				if strings.Contains(text, "\n") || !strings.Contains(text, "panic in "+e.In+": ") || !strings.Contains(text, "panic_test.go:") ||
					!strings.Contains(string(e.Stack), "TestPanicErrors") {
					t.Errorf("%q\n%s", text, e.Stack)
				}
				if do == &boom && (!errors.Is(err, io.ErrClosedPipe) || !strings.Contains(text, io.ErrClosedPipe.Error())) ||
					do == &lines && (e.Value != "two\nlines" || !strings.Contains(text, `"two\nlines"`)) {
					t.Errorf("%q, value %v", text, e.Value)
				}
			}
		})
	}
}

// TestPanicOfTheRuntime: a runtime.Error can be found with errors.As.
func TestPanicOfTheRuntime(t *testing.T) {
	p := &spots[0]
	h := newHazard(t, p, 0)
	var p0 *int
	fault := func() { *p0 = 1 }
	h.armed.Store(&fault)
	err := simnet.Receive(t, h.run(p, false, t.Context()), "the call")
	if !errors.As(err, new(runtime.Error)) || !strings.Contains(err.Error(), "panic_test.go:") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}

// panicConn panics in a method, once it is armed.
type panicConn struct {
	net.Conn
	method string
	armed  *atomic.Bool
}

func (c panicConn) do(method string) {
	if c.method == method && c.armed.Load() {
		panic("boom")
	}
}

func (c panicConn) Read(p []byte) (int, error)  { defer c.do("Read"); return c.Conn.Read(p) }
func (c panicConn) Write(p []byte) (int, error) { c.do("Write"); return c.Conn.Write(p) }

func (c panicConn) SetReadDeadline(at time.Time) error {
	if !at.IsZero() && at.Before(time.Now()) { // from the goroutine that cancels, not from who reads
		c.do("SetReadDeadline")
	}
	return c.Conn.SetReadDeadline(at)
}

func (c panicConn) Close() error {
	defer c.do("Close")
	return c.Conn.Close()
}

// TestConnMayPanic: if a net.Conn of Agent.Dial panics on one of the agent's goroutines, only its
// own call fails, and its place among the sockets is given back.
func TestConnMayPanic(t *testing.T) {
	for _, method := range []string{"Read", "Write", "SetReadDeadline", "Close"} {
		t.Run(method, func(t *testing.T) {
			reading, poke, over := make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
			url := script(t, func(c net.Conn) {
				head := simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				if method == "Read" {
					<-poke
					_, _ = io.WriteString(c, "x")
				}
				for strings.HasPrefix(head, "GET") {
					head = simnet.ReadHead(c)
				}
				reading <- struct{}{}
				<-over
			})
			defer close(over)
			var armed atomic.Bool
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1})
			a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return panicConn{c, method, &armed}, err
			}
			var req agent.Request
			var res agent.Response
			req.URL = url
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			switch method {
			case "Read": // called by the goroutine that watches an idle socket
				ask(t, a, ctx, &req, &res)
				armed.Store(true)
				close(poke)
			case "Write": // called by the goroutine that sends a large body
				armed.Store(true)
				req.Method, req.Body = "POST", make([]byte, 32<<20)
				err := a.Do(ctx, &req, &res)
				if !errors.As(err, new(*agent.PanicError)) || errors.Is(err, agent.ErrSource) {
					t.Error(err)
				}
			case "SetReadDeadline": // called by the goroutine that cancels
				ask(t, a, ctx, &req, &res)
				ended := make(chan error, 1)
				req.Method = "POST"
				go func() {
					defer func() {
						if v := recover(); v != nil { // it came to the deadline before it waited: the panic is the caller's
							ended <- agent.ErrAborted
						}
					}()
					ended <- a.Do(ctx, &req, &res)
				}()
				simnet.Receive(t, reading, "the request")
				armed.Store(true)
				cancel()
				simnet.Receive(t, ended, "the call")
			case "Close":
				ask(t, a, ctx, &req, &res)
				armed.Store(true)
				a.CloseFreeSockets()
			}
			_ = res.Close()
			simnet.Eventually(t, "the socket to be given up", func() bool { return agent.AllSockets(a) == 0 })
		})
	}
}

// TestConnMayPanicInATunnel is TestConnMayPanic for the conversation with a proxy.
func TestConnMayPanicInATunnel(t *testing.T) {
	for _, method := range []string{"Read", "Write", "Close"} {
		t.Run(method, func(t *testing.T) {
			checkLeaks(t)
			url := script(t, func(c net.Conn) {
				_, _ = io.WriteString(c, "HTTP/1.1 407 Who\r\n\r\n") // which is no TLS, either
				_, _ = io.Copy(io.Discard, c)
			})
			var armed atomic.Bool
			armed.Store(true)
			a := newAgent(t, &agent.Agent{MaxSockets: 1})
			a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return panicConn{c, method, &armed}, err
			}
			req := agent.Request{URL: "https://origin.example/"}
			req.Route.Proxy = url
			if err := a.Do(t.Context(), &req, nil); err == nil || errors.As(err, new(*agent.PanicError)) != (method != "Close") {
				t.Error(err)
			}
			req.Route.Proxy = "https" + strings.TrimPrefix(url, "http")
			if err := a.Do(t.Context(), &req, nil); err == nil || errors.As(err, new(*agent.PanicError)) != (method != "Close") {
				t.Error(err)
			}
			armed.Store(false)
			req.Route.Proxy = url
			if err := a.Do(t.Context(), &req, nil); !errors.As(err, new(*agent.ProxyError)) {
				t.Errorf("then %v", err)
			}
		})
	}
}
