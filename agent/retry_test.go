// Retry: what is sent again when a kept socket turns out to be dead, and what is not.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// mortal answers the first request of each connection, reads the second and closes the connection
// without an answer, or in the middle of one.
type mortal struct {
	url     string
	dying   string // sent in place of the second answer
	mu      sync.Mutex
	arrived []string // method and body of each request since the last call of come
}

func newMortal(t testing.TB, dying string) *mortal {
	m := &mortal{dying: dying}
	m.url = script(t, func(c net.Conn) {
		for _, answer := range []string{hello, m.dying} {
			head := simnet.ReadHead(c)
			if head == "" {
				return
			}
			method, _, _ := strings.Cut(head, " ")
			length := 0
			if _, after, ok := strings.Cut(head, "Content-Length: "); ok {
				_, _ = fmt.Sscan(after, &length)
			}
			body := make([]byte, length)
			_, _ = io.ReadFull(c, body)
			m.mu.Lock()
			m.arrived = append(m.arrived, strings.TrimSpace(method+" "+string(body)))
			m.mu.Unlock()
			_, _ = io.WriteString(c, answer)
		}
	})
	return m
}

// come returns the requests that have arrived since its last call.
func (m *mortal) come() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.arrived
	m.arrived = nil
	return got
}

func TestRetry(t *testing.T) {
	twice := func() agent.Source {
		return agent.Source{Reader: strings.NewReader("body"), Length: 4,
			Again: func() (io.Reader, error) { return strings.NewReader("body"), nil }}
	}
	broken := errors.New("no second body")
	cases := []struct {
		name   string
		retry  agent.Retry
		dying  string
		method string
		body   string
		source func() agent.Source
		key    bool
		want   error // nil: a response
		sent   []string
	}{
		{name: "GET", method: "GET", sent: []string{"GET", "GET"}},
		{name: "PUT", method: "PUT", body: "body", sent: []string{"PUT body", "PUT body"}},
		{name: "POST", method: "POST", body: "body", want: agent.ErrServerClosed, sent: []string{"POST body"}},
		{name: "POST without a body", method: "POST", want: agent.ErrServerClosed, sent: []string{"POST"}},
		{name: "PATCH", method: "PATCH", body: "body", want: agent.ErrServerClosed, sent: []string{"PATCH body"}},
		{name: "own method", method: "BUY", want: agent.ErrServerClosed, sent: []string{"BUY"}},
		{name: "POST with a key", method: "POST", body: "body", key: true, sent: []string{"POST body", "POST body"}},
		{name: "Always", retry: agent.Retry{Always: true}, method: "POST", body: "body", sent: []string{"POST body", "POST body"}},
		{name: "Never", retry: agent.Retry{Never: true}, method: "GET", want: agent.ErrServerClosed, sent: []string{"GET"}},
		{name: "Never and Always", retry: agent.Retry{Never: true, Always: true}, method: "GET", want: agent.ErrServerClosed, sent: []string{"GET"}},
		{name: "an answer has begun", dying: "HTTP/1.1 2", method: "GET", want: agent.ErrUnexpectedEOF, sent: []string{"GET"}},
		{name: "Source", method: "PUT", source: func() agent.Source {
			return agent.Source{Reader: strings.NewReader("body"), Length: 4}
		}, want: agent.ErrServerClosed, sent: []string{"PUT body"}},
		{name: "Source.Again", method: "PUT", source: twice, sent: []string{"PUT body", "PUT body"}},
		{name: "Source.Again of a POST", method: "POST", source: twice, want: agent.ErrServerClosed, sent: []string{"POST body"}},
		{name: "Source.Again fails", method: "PUT", source: func() agent.Source {
			s := twice()
			s.Again = func() (io.Reader, error) { return nil, broken }
			return s
		}, want: broken, sent: []string{"PUT body"}},
	}
	for _, w := range ways() {
		for _, c := range cases {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				m := newMortal(t, c.dying)
				a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: c.retry})
				w.call(t, func(ctx context.Context) {
					// A handler may lose its loop and not find the kept socket: then nothing can be
					// observed, and it tries again.
					for reused, tries := false, 0; !reused; tries++ {
						if tries > 100 {
							t.Fatal("no socket was used again")
						}
						a.CloseFreeSockets() // one that was not found in time would die in the first call
						simnet.Eventually(t, "the sockets to be closed", func() bool { return agent.AllSockets(a) == 0 })
						var req agent.Request
						var res agent.Response
						req.URL = m.url
						ask(t, a, ctx, &req, &res)
						m.come()
						req.Method, req.Body = c.method, []byte(c.body)
						if c.source != nil {
							req.Source = c.source()
						}
						if c.key {
							_ = req.SetHeader("Idempotency-Key", "1")
						}
						req.On.Socket = func(s *agent.Socket) { reused = reused || s.Reused() }
						err := a.Do(ctx, &req, &res)
						sent := m.come()
						if !reused {
							_ = res.Close()
							continue
						}
						var e *agent.Error
						switch {
						case c.want == nil && (err != nil || res.StatusCode() != 200):
							t.Errorf("%v", err)
						case c.want != nil && (!errors.Is(err, c.want) || !errors.As(err, &e) || e.Op != "receive" && e.Op != "send"):
							t.Errorf("%v, want %v", err, c.want)
						}
						if used := c.name == "Source"; errors.Is(err, agent.ErrBodyUsed) != used {
							t.Errorf("%v says that the body was used: %v", err, !used)
						}
						if !slices.Equal(sent, c.sent) {
							t.Errorf("the server got %q, want %q", sent, c.sent)
						}
						_ = res.Close()
					}
				})
			})
		}
	}
}

// A request whose body is cut off on a reused socket is not retried either if the server may have
// acted on the part that it received.
func TestRetryOfHalfSent(t *testing.T) {
	checkLeaks(t)
	var mu sync.Mutex
	posts := 0
	url := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, hello)
		if head := simnet.ReadHead(c); strings.HasPrefix(head, "POST ") {
			mu.Lock()
			posts++
			mu.Unlock()
			_ = c.(*net.TCPConn).SetLinger(0) // a reset, before most of the body
		}
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1})
	var req agent.Request
	var res agent.Response
	req.URL = url
	ask(t, a, t.Context(), &req, &res)
	req.Method, req.Body = "POST", make([]byte, 16<<20)
	var e *agent.Error
	if err := a.Do(t.Context(), &req, &res); !errors.As(err, &e) || e.Op != "send" && e.Op != "receive" {
		t.Errorf("%v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if posts != 1 {
		t.Errorf("the POST was sent %d times", posts)
	}
}

// If a fresh socket is closed, there is no second attempt: otherwise a server that never answers
// would be asked for ever.
func TestNoRetryOnFreshSocket(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := make(chan struct{}, 10)
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				s <- struct{}{}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: agent.Retry{Always: true}})
			w.call(t, func(ctx context.Context) {
				if err := a.Do(ctx, &agent.Request{URL: url}, nil); !errors.Is(err, agent.ErrServerClosed) {
					t.Errorf("%v", err)
				}
			})
			if len(s) != 1 {
				t.Errorf("%d requests", len(s))
			}
		})
	}
}

// A request that is retried at the bound on sockets gets the place of the socket that was dead: no
// idle one is closed for it.
func TestRetrySparesIdleSockets(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			var opened atomic.Int64
			both := make(chan struct{})
			url := script(t, func(c net.Conn) {
				opened.Add(1)
				for fresh := true; ; fresh = false {
					head := simnet.ReadHead(c)
					switch {
					case head == "" || strings.HasPrefix(head, "GET /die ") && !fresh:
						return
					case strings.HasPrefix(head, "GET /a "):
						<-both
					case strings.HasPrefix(head, "GET /b "):
						both <- struct{}{}
					}
					_, _ = io.WriteString(c, hello)
				}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 2, Loops: 1})
			get := func(ctx context.Context, path string) {
				if status, _ := ask(t, a, ctx, &agent.Request{URL: url, Path: path}, new(agent.Response)); status != 200 {
					t.Errorf("%s: %d", path, status)
				}
			}
			w.call(t, func(ctx context.Context) {
				var beside sync.WaitGroup
				beside.Go(func() { get(t.Context(), "/a") })
				get(ctx, "/b")
				beside.Wait()
				for round := range int64(50) {
					get(ctx, "/die")
					if n := opened.Load(); n != 3+round {
						t.Fatalf("%d sockets after %d deaths", n, round+1)
					}
					simnet.Eventually(t, "two free sockets", func() bool { return sum(a.FreeSockets()) == 2 })
				}
			})
		})
	}
}
