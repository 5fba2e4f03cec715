// The pool: bounds, order, and sockets that die while in it.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// many is the number of callers in a test.
func many(n int) int {
	if raceEnabled {
		return n / 10
	}
	return n
}

// MaxSockets is respected, and every call is served, while connections die.
func TestMaxSockets(t *testing.T) {
	checkLeaks(t)
	var served atomic.Int64
	var s *stdServer
	s = newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1)%50 == 0 {
			w.Header().Set("Connection", "close")
			s.leave(r)
		}
		fmt.Fprint(w, r.URL.Path)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 8})
	var group sync.WaitGroup
	for i := range many(10_000) {
		group.Go(func() {
			var req agent.Request
			var res agent.Response
			req.URL, req.Path = s.URL, fmt.Sprint("/", i)
			if status, body := ask(t, a, context.Background(), &req, &res); status != 200 || body != req.Path {
				t.Errorf("%d %q", status, body)
			}
		})
	}
	group.Wait()
	if n := s.most.Load(); n > 8 {
		t.Errorf("%d sockets were open at once", n)
	}
	if n := served.Load(); n != int64(many(10_000)) {
		t.Errorf("%d were served", n)
	}
}

// The same from handlers on several loops, together with goroutines.
func TestMaxSocketsOnLoops(t *testing.T) {
	checkLeaks(t)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
	a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 4})
	front := &engine.Server{Loops: 2, Handler: func(in *engine.Request, out *engine.Response) {
		var req agent.Request
		var res agent.Response
		req.URL, req.Path = s.URL, string(in.URL())
		if err := a.Do(in.Context(), &req, &res); err != nil {
			t.Error(err)
			return
		}
		_, _ = io.Copy(out, &res)
	}}
	if err := front.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	client := newAgent(t, &agent.Agent{KeepAlive: true})
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			var req agent.Request
			var res agent.Response
			for k := range many(300) {
				to := client
				req.URL, req.Path = "http://"+front.Addr().String(), fmt.Sprintf("/%d/%d", i, k)
				if k%4 == 0 {
					to, req.URL = a, s.URL
				}
				if status, body := ask(t, to, context.Background(), &req, &res); status != 200 || body != req.Path {
					t.Errorf("%d %q", status, body)
				}
			}
		})
	}
	group.Wait()
	if n := s.most.Load(); n > 5 {
		t.Errorf("%d sockets were open at once", n)
	}
}

// With keep-alive off a socket is reused only while a call waits for it.
func TestKeepAliveOff(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Close) })
			plain, bounded := newAgent(t, new(agent.Agent)), newAgent(t, &agent.Agent{MaxSockets: 1})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				for range 3 {
					if _, body := ask(t, plain, ctx, &req, &res); body != "true" {
						t.Errorf("Connection: close was said: %s", body)
					}
				}
			})
			if n := s.opened.Load(); n != 3 {
				t.Errorf("%d sockets for 3 requests", n)
			}
			var group sync.WaitGroup
			for range 20 {
				group.Go(func() {
					var req agent.Request
					var res agent.Response
					req.URL = s.URL
					ask(t, bounded, context.Background(), &req, &res)
				})
			}
			group.Wait()
			simnet.Eventually(t, "the sockets to close", func() bool { return s.conns.Load() == 0 })
		})
	}
}

// A server that keeps closing idle connections: no request that may be retried fails.
func TestServerClosesIdleSockets(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			var n atomic.Int64
			url := script(t, func(c net.Conn) { // answers a few requests, and closes, at once or a little later
				life := 1 + n.Add(1)%7
				buf := make([]byte, 4096)
				for range life {
					if _, err := c.Read(buf); err != nil {
						return
					}
					_, _ = io.WriteString(c, hello)
				}
				if life%2 == 0 {
					time.Sleep(time.Duration(life) * 20 * time.Microsecond) // sleep: the server's idle timeout is the subject
				}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = url
				for range many(3000) {
					if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != "Hello, world!" {
						t.Errorf("%d %q", status, body)
						return
					}
				}
			})
		})
	}
}

// A call that waits for a socket can give up, and takes nothing from the others.
func TestGivingUpInTheQueue(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			hold, in := make(chan struct{}), make(chan struct{}, 1)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/hold" {
					in <- struct{}{}
					<-hold
				}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1})
			first := make(chan struct{})
			go func() {
				defer close(first)
				var req agent.Request
				var res agent.Response
				req.URL = s.URL + "/hold"
				ask(t, a, context.Background(), &req, &res)
			}()
			simnet.Receive(t, in, "the first request")
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
				defer cancel()
				var e *agent.Error
				if err := a.Do(short, &req, &res); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
					t.Errorf("%v", err)
				}
				close(hold)
				if status, _ := ask(t, a, ctx, &req, &res); status != 200 {
					t.Error(status)
				}
			})
			simnet.Receive(t, first, "the first request")
			if n := s.opened.Load(); n != 1 {
				t.Errorf("%d sockets", n)
			}
		})
	}
}

// MaxFreeSockets is respected, whoever gives the sockets back.
func TestMaxFreeSockets(t *testing.T) {
	for _, w := range ways() {
		for _, most := range []int{-1, 1} {
			t.Run(fmt.Sprint(w.name, "/", most), func(t *testing.T) {
				checkLeaks(t)
				s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hi") })
				a := newAgent(t, &agent.Agent{KeepAlive: true, MaxFreeSockets: most})
				w.call(t, func(ctx context.Context) {
					var reqs [3]agent.Request
					var calls [3]*agent.ClientRequest
					for i := range reqs { // all in flight at once, so that each has a socket
						reqs[i].URL, reqs[i].Method = s.URL, "POST"
						calls[i] = a.NewRequest(ctx, &reqs[i])
						if err := calls[i].FlushHeaders(); err != nil {
							t.Error(err)
						}
					}
					for _, cr := range calls {
						res, err := cr.Response()
						if err != nil {
							t.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, res)
					}
					simnet.Eventually(t, "the sockets to be given back", func() bool { return len(a.Sockets()) == 0 })
					simnet.Eventually(t, "as many to be kept as may be", func() bool { return agent.AllSockets(a) == max(0, most) })
				})
			})
		}
	}
}

// CloseFreeSockets closes the sockets that are idle when it is called, and none that becomes idle
// a moment later.
func TestCloseFreeSockets(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			sent := make(chan struct{}, 3)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "32768")
				_, _ = w.Write(make([]byte, 32768))
				w.(http.Flusher).Flush()
				sent <- struct{}{}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, Loops: 1})
			w.call(t, func(ctx context.Context) {
				var used, free agent.Response
				for _, res := range []*agent.Response{&used, &free} {
					if err := a.Do(ctx, &agent.Request{URL: s.URL}, res); err != nil {
						t.Fatal(err)
					}
					simnet.Receive(t, sent, "the answer to be sent")
				}
				read := func(res *agent.Response) { // all of it has arrived
					if body, err := io.ReadAll(res); err != nil || len(body) != 32768 {
						t.Errorf("%d bytes, %v", len(body), err)
					}
				}
				read(&free)
				a.CloseFreeSockets()
				read(&used)
				simnet.Eventually(t, "one socket to be left", func() bool { return s.conns.Load() == 1 && sum(a.FreeSockets()) == 1 })
			})
		})
	}
}
