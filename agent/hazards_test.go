// What user code called by an agent may do: panic, exit its goroutine, lock its thread, block,
// recurse, and never return. The call that it is made for may fail; no other call does, and its
// place among the sockets is given back.

package agent_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// spot is a place for user code. set installs fn there.
type spot struct {
	name  string
	set   func(a *agent.Agent, q *agent.Request, fn func())
	aside bool // one of the agent's goroutines calls it: a call whose context ends does not wait for it
}

// callReader is a Source that calls a function once, and then delivers a byte.
type callReader struct {
	fn   func()
	done bool
}

func (r *callReader) Read(p []byte) (int, error) {
	if r.done {
		return 0, io.EOF
	}
	r.done = true
	r.fn()
	return copy(p, "x"), nil
}

// callTrailers is a Source with trailers.
type callTrailers struct {
	io.Reader
	fn func()
}

func (r callTrailers) RawTrailers() iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		r.fn()
		yield([]byte("x-late"), []byte("1"))
	}
}

var spots = []spot{
	{"Dial", func(a *agent.Agent, _ *agent.Request, fn func()) {
		a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			fn()
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	}, true},
	{"ResolveStart", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace.ResolveStart = func(string) { fn() }
	}, true},
	{"ResolveDone", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace.ResolveDone = func([]netip.Addr, error) { fn() }
	}, true},
	{"HandshakeStart", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace.HandshakeStart = fn
	}, true},
	{"HandshakeDone", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace.HandshakeDone = func(tls.ConnectionState, error) { fn() }
	}, true},
	{"VerifyConnection", func(a *agent.Agent, _ *agent.Request, fn func()) {
		a.TLS.VerifyConnection = func(tls.ConnectionState) error { fn(); return nil }
	}, true},
	{"VerifyPeerCertificate", func(a *agent.Agent, _ *agent.Request, fn func()) {
		a.TLS.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { fn(); return nil }
	}, true},
	{"GetClientCertificate", func(a *agent.Agent, _ *agent.Request, fn func()) {
		a.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { fn(); return new(tls.Certificate), nil }
	}, true},
	{"Time", func(a *agent.Agent, _ *agent.Request, fn func()) {
		a.TLS.Time = func() time.Time { fn(); return time.Now() }
	}, true},
	{"WroteHead", func(_ *agent.Agent, q *agent.Request, fn func()) { q.On.Trace.WroteHead = fn }, false},
	{"WroteRequest", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace.WroteRequest = func(error) { fn() }
	}, false},
	{"WroteRequest, of a Source", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Method, q.Source.Reader = "POST", &callReader{fn: func() {}}
		q.On.Trace.WroteRequest = func(error) { fn() }
	}, false},
	{"FirstByte", func(_ *agent.Agent, q *agent.Request, fn func()) { q.On.Trace.FirstByte = fn }, false},
	{"Events.Socket", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Socket = func(*agent.Socket) { fn() }
	}, false},
	{"Events.Continue", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Method, q.Source.Reader = "POST", &callReader{fn: func() {}}
		_ = q.SetHeader("Expect", "100-continue")
		q.On.Continue = fn
	}, false},
	{"Events.Information", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Trace = nil // so that a handler's call takes the fast path
		q.Path = "/early"
		q.On.Information = func(*agent.Response) { fn() }
	}, false},
	{"Events.Response", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.On.Response = func(*agent.Response) { fn() }
	}, false},
	{"Events.Response, with a Source", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Method, q.Path = "POST", "/now"
		q.Source.Reader = io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)))
		q.On.Response = func(*agent.Response) { fn() }
	}, false},
	{"Events.Upgrade", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Path = "/up"
		_ = q.SetHeader("Connection", "upgrade")
		_ = q.SetHeader("Upgrade", "x")
		q.On.Upgrade = func(_ *agent.Response, socket net.Conn, _ []byte) {
			defer socket.Close()
			fn()
		}
	}, false},
	{"Source", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Method, q.Source.Reader = "POST", &callReader{fn: fn}
	}, true},
	{"trailers of Source", func(_ *agent.Agent, q *agent.Request, fn func()) {
		q.Method, q.Source.Reader = "POST", callTrailers{&callReader{fn: func() {}}, fn}
	}, false},
}

// hazard is an agent with user code installed that misbehaves when armed, a server for it, and a
// server whose handler makes the call where that is wanted.
type hazard struct {
	t      *testing.T
	agent  *agent.Agent
	up     string
	front  string
	armed  atomic.Pointer[func()]
	called atomic.Pointer[func(ctx context.Context)]
}

func newHazard(t *testing.T, p *spot, sockets int) *hazard {
	h := &hazard{t: t}
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/early":
			w.WriteHeader(103)
		case "/up":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			}
			return
		case "/now":
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "served")
	}))
	up.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	up.Config.ErrorLog = log.New(io.Discard, "", 0) // some handshakes fail
	up.StartTLS()
	t.Cleanup(up.Close)
	roots := up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	h.agent = &agent.Agent{KeepAlive: true, MaxSockets: sockets,
		TLS: &tls.Config{RootCAs: roots, ServerName: "example.com", SessionTicketsDisabled: true}}
	h.up = strings.Replace(up.URL, "127.0.0.1", "localhost", 1) // a name that has to be looked up
	p.set(h.agent, &agent.Request{On: agent.Events{Trace: new(agent.Trace)}}, h.fn)
	s := &engine.Server{Loops: 1, ErrorLog: log.New(io.Discard, "", 0)}
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if call := h.called.Swap(nil); call != nil {
			(*call)(req.Context())
		}
		_ = res.EndString("hello")
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h.front = s.Addr().String()
	t.Cleanup(h.agent.Destroy)
	return h
}

// fn is the installed function.
func (h *hazard) fn() {
	if do := h.armed.Swap(nil); do != nil {
		(*do)()
	}
}

// run makes the call that will meet the armed function, in a handler or on a goroutine of its own.
func (h *hazard) run(p *spot, handler bool, ctx context.Context) <-chan error {
	ended := make(chan error, 1)
	call := func(ctx context.Context) {
		err := errors.New("it did not return")
		defer func() {
			_ = recover()
			ended <- err
		}()
		q := &agent.Request{URL: h.up, On: agent.Events{Trace: new(agent.Trace)}}
		p.set(new(agent.Agent{TLS: new(tls.Config)}), q, h.fn)
		var res agent.Response
		if err = h.agent.Do(ctx, q, &res); err == nil {
			_, err = io.Copy(io.Discard, &res)
		}
		_ = res.Close()
	}
	if !handler {
		go call(ctx)
		return ended
	}
	own := func(of context.Context) {
		of, cancel := context.WithCancel(of)
		defer context.AfterFunc(ctx, cancel)()
		defer cancel()
		call(of)
	}
	h.called.Store(&own)
	go h.ask()
	return ended
}

// ask sends a request to the server whose handler may call the agent.
func (h *hazard) ask() {
	c, err := net.Dial("tcp", h.front)
	if err != nil {
		h.t.Error(err)
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	_, _ = io.ReadAll(c)
}

// others checks that the server and the agent still serve others.
func (h *hazard) others(how string) {
	h.t.Helper()
	h.ask()
	var q agent.Request
	var res agent.Response
	q.URL = h.up
	ctx, cancel := context.WithTimeout(h.t.Context(), simnet.Patience)
	defer cancel()
	if status, body := ask(h.t, h.agent, ctx, &q, &res); status != 200 || body != "served" {
		h.t.Errorf("%s: got %d %q", how, status, body)
	}
}

func eachSpot(t *testing.T, test func(t *testing.T, p *spot, handler bool)) {
	simnet.KeepProcs(t)
	for i := range spots {
		p := &spots[i]
		for _, handler := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", p.name, handler), func(t *testing.T) { test(t, p, handler) })
		}
	}
}

func TestFunctionsMayFail(t *testing.T) {
	eachSpot(t, func(t *testing.T, p *spot, handler bool) {
		h := newHazard(t, p, 1)
		for how, mishap := range simnet.Mishaps() {
			here, proceed := make(chan struct{}), make(chan struct{})
			do := func() {
				close(here)
				mishap(func() { <-proceed })
			}
			h.agent.CloseFreeSockets() // so that there is a handshake each time
			h.armed.Store(&do)
			ended := h.run(p, handler, t.Context())
			simnet.Receive(t, here, p.name)
			h.ask()
			close(proceed)
			err := simnet.Receive(t, ended, "the call")
			if clean := !strings.Contains(how, "panics") && !strings.Contains(how, "exits"); clean && err != nil && p.name != "Events.Upgrade" {
				t.Errorf("%s: %v", how, err)
			}
			h.others(how)
		}
	})
}

// TestFunctionsMayNeverReturn: the call ends with its context, and the agent with Destroy.
func TestFunctionsMayNeverReturn(t *testing.T) {
	eachSpot(t, func(t *testing.T, p *spot, handler bool) {
		if !p.aside {
			return // the function runs on the caller's goroutine, which does not return
		}
		h := newHazard(t, p, 0)
		here, release := make(chan struct{}), make(chan struct{})
		do := func() {
			close(here)
			<-release
		}
		h.armed.Store(&do)
		ctx, cancel := context.WithCancel(t.Context())
		ended := h.run(p, handler, ctx)
		simnet.Receive(t, here, p.name)
		h.others("meanwhile")
		cancel()
		if err := simnet.Receive(t, ended, "the call"); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		destroyed := make(chan struct{})
		go func() {
			defer close(destroyed)
			h.agent.Destroy()
		}()
		simnet.Receive(t, destroyed, "Destroy")
		close(release)
	})
}
