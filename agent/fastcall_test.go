// The fast path, and what is reused from one call to the next.

package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// Every change from one request to the next, with the same Request and Response, reaches the
// server, and responses that begin alike are told apart.
func TestSwiftChanges(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Asked", fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Host, strings.Join(r.Header["X"], "+"), body))
		fmt.Fprint(w, r.Method+r.URL.Path)
	})
	host := strings.TrimPrefix(s.URL, "http://")
	steps := []struct {
		change func(q *agent.Request)
		asked  string // with {host}
		body   string
	}{
		{func(q *agent.Request) {}, "GET / {host}  ", "GET/"},
		{func(q *agent.Request) {}, "GET / {host}  ", "GET/"},
		{func(q *agent.Request) { q.Path = "/a" }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { q.SetPath([]byte("/raw")) }, "GET /raw {host}  ", "GET/raw"},
		{func(q *agent.Request) { q.SetPath([]byte("/rax")) }, "GET /rax {host}  ", "GET/rax"},
		{func(q *agent.Request) { q.SetPath(nil) }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { _ = q.SetHeader("X", "1") }, "GET /a {host} 1 ", "GET/a"},
		{func(q *agent.Request) { _ = q.AddHeader("X", "2") }, "GET /a {host} 1+2 ", "GET/a"},
		{func(q *agent.Request) { q.ClearHeaders() }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { q.Method, q.Body = "PUT", []byte("abc") }, "PUT /a {host}  abc", "PUT/a"},
		{func(q *agent.Request) { q.Body = []byte("abd") }, "PUT /a {host}  abd", "PUT/a"},
		{func(q *agent.Request) { q.Body = []byte("abde") }, "PUT /a {host}  abde", "PUT/a"},
		{func(q *agent.Request) { q.Body = nil }, "PUT /a {host}  ", "PUT/a"},
		{func(q *agent.Request) { q.Method = "GET" }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { q.Method = "HEAD" }, "HEAD /a {host}  ", ""},
		{func(q *agent.Request) { q.Method = "HEAD" }, "HEAD /a {host}  ", ""},
		{func(q *agent.Request) { q.Method = "GET" }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { q.Hostname = "localhost" }, "GET /a localhost:{port}  ", "GET/a"},
		{func(q *agent.Request) { q.Hostname = "" }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { q.Auth = "u:p" }, "GET /a {host}  ", "GET/a"},
		{func(q *agent.Request) { _ = q.SetHeader("Host", "other") }, "GET /a other  ", "GET/a"},
	}
	_, port, _ := net.SplitHostPort(host)
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				for i, step := range steps {
					step.change(&req)
					status, body := ask(t, a, ctx, &req, &res)
					want := strings.NewReplacer("{host}", host, "{port}", port).Replace(step.asked)
					if got := string(res.Header("X-Asked")); status != 200 || body != step.body || got != strings.TrimSpace(want) {
						t.Errorf("step %d: %d %q %q", i, status, got, body)
					}
				}
			})
		})
	}
}

// The same head twice does not make the same response: not to another method, and not under
// another agent's limits.
func TestSameHead(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
	url := script(t, func(c net.Conn) {
		for {
			switch line := simnet.ReadHead(c); {
			case line == "":
				return
			case strings.HasPrefix(line, "HEAD"):
				_, _ = io.WriteString(c, head)
			default:
				_, _ = io.WriteString(c, head+"abc")
			}
		}
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	strict := newAgent(t, &agent.Agent{KeepAlive: true, Limits: agent.Limits{HeadBytes: 20}})
	inHandler(t, &engine.Server{Loops: 1}, func(ctx context.Context) {
		var req agent.Request
		var res agent.Response
		req.URL = url
		for _, method := range []string{"GET", "GET", "HEAD", "HEAD", "GET", "GET"} {
			req.Method = method
			want := "abc"
			if method == "HEAD" {
				want = ""
			}
			if _, body := ask(t, a, ctx, &req, &res); body != want {
				t.Errorf("%s: %q", method, body)
			}
		}
		for range 3 { // the second finds the kept socket, if there is one
			if err := strict.Do(ctx, &req, &res); err == nil {
				t.Error("a head above its limit was taken")
			}
		}
	})
}

// An event of an idle socket that the loop has fetched but not delivered, an unsolicited response,
// is not taken for the response to the request that takes the socket.
//
// A handler that holds the loop for long loses it, which spoils the arrangement; then the test
// tries again.
func TestUnheard(t *testing.T) {
	for range 100 {
		if unheard(t) {
			return
		}
	}
	t.Error("no try went undisturbed")
}

// unheard reports whether everything went as arranged.
func unheard(t *testing.T) (undisturbed bool) {
	var first, stray = make(chan net.Conn, 1), make(chan struct{})
	url := script(t, func(c net.Conn) {
		if simnet.ReadHead(c); len(first) == 0 {
			select {
			case first <- c:
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nr1")
				<-stray
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nXX")
				stray <- struct{}{}
				_, _ = io.Copy(io.Discard, c)
				return
			default:
			}
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nr2")
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	begun, sent, held := make(chan struct{}), make(chan struct{}), make(chan bool, 1)
	s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
	s.Handler = func(in *engine.Request, out *engine.Response) {
		if string(in.URL()) == "/hold" { // the loop fetches nothing until the other two have come
			before := s.Stats().TakenOver
			close(begun)
			<-sent
			held <- s.Stats().TakenOver == before
			return
		}
		req := agent.Request{URL: url}
		var res agent.Response
		_, body := ask(t, a, in.Context(), &req, &res)
		_ = res.Close()
		_ = out.EndString(body)
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	send := func(c net.Conn, path string) { fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path) }
	var conns [2]net.Conn
	for i := range conns {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	answer := func(c net.Conn) string {
		var buf [1024]byte
		n, _ := c.Read(buf[:])
		return string(buf[:n])
	}
	send(conns[0], "/")
	if got := answer(conns[0]); !strings.HasSuffix(got, "r1") {
		t.Fatalf("%q", got)
	}
	send(conns[1], "/hold")
	simnet.Receive(t, begun, "the handler that holds the loop")
	send(conns[0], "/")
	stray <- struct{}{}
	<-stray
	close(sent)
	got := answer(conns[0])
	if !<-held {
		return false
	}
	if !strings.HasSuffix(got, "r2") {
		t.Errorf("%q", got)
	}
	return true
}

// Interim responses are reported on a kept socket too, which stays kept.
func TestSwiftInterim(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			var opened atomic.Int64
			url := script(t, func(c net.Conn) {
				opened.Add(1)
				for head := simnet.ReadHead(c); head != ""; head = simnet.ReadHead(c) {
					if strings.HasPrefix(head, "GET /hints ") {
						_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
						_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\n")
					}
					_, _ = io.WriteString(c, hello)
				}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxFreeSockets: 1})
			w.call(t, func(ctx context.Context) {
				var heard string
				req := &agent.Request{URL: url, On: agent.Events{Information: func(res *agent.Response) {
					heard += fmt.Sprintf("%d %s ", res.StatusCode(), res.Header("Link"))
				}}}
				var res agent.Response
				for i := range 6 {
					req.Path, heard = "/plain", ""
					want := ""
					if i%2 == 1 {
						req.Path, want = "/hints", "103 a 103 b "
					}
					if status, body := ask(t, a, ctx, req, &res); status != 200 || body != "Hello, world!" || heard != want {
						t.Errorf("%d: %d %q, heard %q", i, status, body, heard)
					}
				}
			})
			if n := opened.Load(); n > w.sockets() {
				t.Errorf("%d sockets", n)
			}
		})
	}
}
