// Shared by the tests of this package: servers, a handler's loop to call from, and checks for
// leaks at the end.

package agent_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// stdServer is net/http's server with the given handler. conns counts its open connections,
// opened all that it has ever had.
type stdServer struct {
	*httptest.Server
	conns, most, opened atomic.Int64
	left                sync.Map // addresses of clients whose connections no longer count
}

// leave counts r's connection as closed, as its response announces: the client may make the next
// one before the server has closed this one.
func (s *stdServer) leave(r *http.Request) {
	s.left.Store(r.RemoteAddr, true)
	s.conns.Add(-1)
}

func newServer(t testing.TB, handler http.HandlerFunc) *stdServer {
	t.Helper()
	s := new(stdServer)
	s.Server = httptest.NewUnstartedServer(handler)
	s.Config.ConnState = func(c net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.opened.Add(1)
			n := s.conns.Add(1)
			for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
			}
		case http.StateClosed, http.StateHijacked:
			if _, left := s.left.LoadAndDelete(c.RemoteAddr().String()); !left {
				s.conns.Add(-1)
			}
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// newAgent destroys a at the end of the test.
func newAgent(t testing.TB, a *agent.Agent) *agent.Agent {
	t.Helper()
	if strings.Contains(t.Name(), "/portable_agent") {
		a.Portable = true
	}
	t.Cleanup(a.Destroy)
	return a
}

// way is one of the ways to call an agent: fn is called in the way that name describes.
type way struct {
	name string
	call func(t *testing.T, fn func(ctx context.Context))
}

// ways are the ways in which every behaviour must hold.
func ways() []way {
	return []way{
		{"goroutine", func(t *testing.T, fn func(context.Context)) { fn(t.Context()) }},
		{"handler", func(t *testing.T, fn func(context.Context)) { inHandler(t, &engine.Server{Loops: 1}, fn) }},
		{"goroutine of a handler", func(t *testing.T, fn func(context.Context)) {
			inHandler(t, &engine.Server{Loops: 1, Dispatch: engine.Goroutine}, fn)
		}},
		{"portable handler", func(t *testing.T, fn func(context.Context)) {
			inHandler(t, &engine.Server{Loops: 1, Portable: true}, fn)
		}},
		{"portable agent", func(t *testing.T, fn func(context.Context)) { fn(t.Context()) }}, // newAgent makes it portable
	}
}

// sockets is how many sockets one caller may need: a handler on a busy machine may lose its loop,
// and with it the sockets resting there.
func (w way) sockets() int64 {
	if w.name == "handler" {
		return 2
	}
	return 1
}

// inHandler calls fn in a handler of s.
func inHandler(t testing.TB, s *engine.Server, fn func(ctx context.Context)) {
	t.Helper()
	done := make(chan struct{})
	s.Handler = func(req *engine.Request, res *engine.Response) {
		defer close(done)
		fn(req.Context())
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	simnet.Receive(t, done, "the handler")
	_ = s.Close()
}

// unhurried calls ok with a span that doubles each time, until it returns true: on a machine that
// stalls now and then, the first attempts may fail.
func unhurried(t testing.TB, ok func(span time.Duration) bool) {
	t.Helper()
	for span := 50 * time.Millisecond; !ok(span); span *= 2 {
		if span > simnet.Patience/4 {
			t.Fatalf("not even with %v", span)
		}
	}
}

// checkLeaks makes the test fail if it ends with more goroutines than there are now.
func checkLeaks(t testing.TB) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		if !t.Failed() {
			simnet.Eventually(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
		}
	})
}

// ask makes a GET and returns the status and the body.
func ask(t testing.TB, a *agent.Agent, ctx context.Context, req *agent.Request, res *agent.Response) (int, string) {
	t.Helper()
	if err := a.Do(ctx, req, res); err != nil {
		t.Errorf("Do: %v", err)
		return 0, ""
	}
	body, err := io.ReadAll(res)
	if err != nil {
		t.Errorf("Read: %v", err)
	}
	return res.StatusCode(), string(body)
}

// clientConfig returns a config that trusts s.
func clientConfig(s *httptest.Server) *tls.Config {
	c := s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	c.ServerName = "example.com"
	return c
}

// sum adds up a snapshot over all origins.
func sum(counts map[string]int) (n int) {
	for _, k := range counts {
		n += k
	}
	return n
}
