// The seed's options and methods, one by one.

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// An origin's name contains everything that keeps sockets apart, and nothing secret (seed:
// agent.getName).
func TestGetName(t *testing.T) {
	a := newAgent(t, new(agent.Agent))
	one, two := new(tls.Config), new(tls.Config)
	names := map[string]string{}
	for _, c := range []struct {
		what, want string
		req        agent.Request
	}{
		{"default", "localhost:80:", agent.Request{}},
		{"host", "a.example:80:", agent.Request{URL: "http://a.example/path?query"}},
		{"port", "a.example:81:", agent.Request{URL: "http://a.example:81"}},
		{"hostname before host", "b.example:82:", agent.Request{Host: "a.example", Hostname: "b.example", Port: 82}},
		{"local address", "a.example:80:127.0.0.9", agent.Request{Host: "a.example", Route: agent.Route{LocalAddress: "127.0.0.9"}}},
		{"family", "a.example:80::6", agent.Request{Host: "a.example", Route: agent.Route{Family: 6}}},
		{"unix", "a.example:80::unix:/s", agent.Request{Host: "a.example", Route: agent.Route{SocketPath: "/s"}}},
		{"https", "a.example:443::tls", agent.Request{URL: "https://a.example"}},
		{"https with a config", "a.example:443::tls:", agent.Request{URL: "https://a.example", Route: agent.Route{TLS: one}}},
		{"https with another", "a.example:443::tls:", agent.Request{URL: "https://a.example", Route: agent.Route{TLS: two}}},
		{"proxy", "a.example:80::via:proxy:80", agent.Request{Host: "a.example", Route: agent.Route{Proxy: "http://proxy"}}},
		{"proxy with a name", "a.example:80::via:proxy:80#", agent.Request{Host: "a.example", Route: agent.Route{Proxy: "http://user:secret@proxy"}}},
		{"proxy with another", "a.example:80::via:proxy:80#", agent.Request{Host: "a.example", Route: agent.Route{Proxy: "http://user:secret2@proxy"}}},
		{"proxy through TLS", "a.example:80::via:proxy:443:tls", agent.Request{Host: "a.example", Route: agent.Route{Proxy: "https://proxy"}}},
	} {
		name, err := a.GetName(&c.req)
		if err != nil || !strings.HasPrefix(name, c.want) || len(name) > len(c.want) && !strings.HasSuffix(c.want, ":") && !strings.HasSuffix(c.want, "#") || strings.Contains(name, "secret") {
			t.Errorf("%s: %q, %v", c.what, name, err)
		}
		if other, ok := names[name]; ok {
			t.Errorf("%s and %s are both %s", other, c.what, name)
		}
		names[name] = c.what
		if again, _ := a.GetName(&agent.Request{URL: c.req.URL, Host: c.req.Host, Hostname: c.req.Hostname, Port: c.req.Port, Route: c.req.Route}); again != name {
			t.Errorf("%s: %q and %q", c.what, name, again)
		}
	}
	plain, _ := a.GetName(&agent.Request{URL: "http://a.example", Route: agent.Route{TLS: one}})
	if plain != "a.example:80:" {
		t.Errorf("what is for https stands in %s", plain)
	}
	if _, err := a.GetName(&agent.Request{URL: "http://"}); err == nil {
		t.Error("a name of nothing")
	}
}

// NoAgent uses a socket for each request, announces that it closes it, and does (seed: agent:
// false).
func TestNoAgent(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Close, r.Header["Connection"]) })
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				for range 3 {
					if _, body := ask(t, agent.NoAgent, ctx, &req, &res); body != "true [close]" {
						t.Errorf("%s", body)
					}
				}
			})
			if n := s.opened.Load(); n != 3 {
				t.Errorf("%d sockets for 3 requests", n)
			}
			simnet.Eventually(t, "the sockets to be closed", func() bool { return s.conns.Load() == 0 })
		})
	}
}

// A detached socket no longer counts as the agent's, and is closed after its request (seed:
// agentRemove).
func TestDetach(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hi") })
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				req.On.Socket = func(socket *agent.Socket) {
					if socket.Detach(); sum(a.Sockets()) != 0 {
						t.Errorf("%v", a.Sockets())
					}
				}
				if err := a.Do(ctx, &req, &res); err != nil {
					t.Fatal(err)
				}
				var other agent.Request // its place is free
				var answer agent.Response
				other.URL = s.URL
				if _, body := ask(t, a, ctx, &other, &answer); body != "hi" {
					t.Errorf("%q", body)
				}
				if body, err := io.ReadAll(&res); err != nil || string(body) != "hi" {
					t.Errorf("%q %v", body, err)
				}
				simnet.Eventually(t, "the detached socket to be closed", func() bool { return s.conns.Load() == 1 && s.opened.Load() == 2 && sum(a.FreeSockets()) == 1 })
			})
		})
	}
}

func TestResponseSetTimeout(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")
				_, _ = io.Copy(io.Discard, c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = url
				if err := a.Do(ctx, &req, &res); err != nil {
					t.Fatal(err)
				}
				res.SetTimeout(20 * time.Millisecond)
				var e *agent.Error
				if body, err := io.ReadAll(&res); string(body) != "abc" || !errors.Is(err, agent.ErrTimeout) || !errors.As(err, &e) || !e.Timeout() || e.Op != "read" {
					t.Errorf("%q %v", body, err)
				}
			})
			simnet.Eventually(t, "the pool to be empty", func() bool { return agent.AllSockets(a) == 0 })
		})
	}
}

func TestHeadersAreSetUntilSent(t *testing.T) {
	checkLeaks(t)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header["X-A"], r.Header["X-B"]) })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	c := a.NewRequest(t.Context(), &agent.Request{URL: s.URL, Method: "POST"})
	for _, err := range []error{c.SetHeader("X-A", "1", "2"), c.SetHeader("x-b", "3")} {
		if err != nil {
			t.Error(err)
		}
	}
	if got := string(c.GetHeader("x-a")); got != "1, 2" {
		t.Errorf("%q", got)
	}
	c.RemoveHeader("X-B")
	if c.GetHeader("X-B") != nil {
		t.Error("it is there still")
	}
	if err := c.SetHeader("X-C", "a\r\nb"); err == nil || c.GetHeader("X-C") != nil {
		t.Error("a field with a line break")
	}
	if err := c.FlushHeaders(); err != nil {
		t.Fatal(err)
	}
	if err := c.SetHeader("X-B", "4"); !errors.Is(err, agent.ErrHeadSent) {
		t.Error(err)
	}
	if c.RemoveHeader("X-A"); string(c.GetHeader("X-A")) != "1, 2" {
		t.Error("what was sent is removed")
	}
	res, err := c.Response()
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(res); string(body) != "[1 2] []" {
		t.Errorf("%s", body)
	}
}

// A response that cannot have a body has none, whatever its head declares; bytes after it are not
// taken for the next one.
func TestAnswersWithoutBody(t *testing.T) {
	for _, w := range ways() {
		for _, c := range []struct{ method, head, extra string }{
			{"HEAD", "200 OK\r\nContent-Length: 2\r\n", ""}, {"HEAD", "200 OK\r\nContent-Length: 2\r\n", "XX"},
			{"HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n", "2\r\nXX\r\n0\r\n\r\n"}, {"HEAD", "200 OK\r\n", ""},
			{"GET", "204 No\r\n", ""}, {"GET", "204 No\r\nContent-Length: 2\r\n", "XX"}, {"GET", "204 No\r\nTransfer-Encoding: chunked\r\n", "2\r\nXX\r\n0\r\n\r\n"},
			{"GET", "304 No\r\nContent-Length: 2\r\n", ""}, {"GET", "304 No\r\nContent-Length: 2\r\n", "XX"},
			{"GET", "304 No\r\nContent-Length: 41\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nXX"},
		} {
			t.Run(fmt.Sprint(w.name, "/", c.method, c.head, len(c.extra)), func(t *testing.T) {
				checkLeaks(t)
				url := script(t, func(nc net.Conn) {
					for strings.Contains(simnet.ReadHead(nc), " /odd ") {
						_, _ = io.WriteString(nc, "HTTP/1.1 "+c.head+"\r\n"+c.extra)
					}
					_, _ = io.WriteString(nc, hello)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = url
					for range 2 {
						req.Method, req.Path = c.method, "/odd"
						if status, body := ask(t, a, ctx, &req, &res); body != "" || fmt.Sprint(status) != c.head[:3] {
							t.Errorf("%d %q", status, body)
						}
					}
					req.Method, req.Path = "GET", "/"
					if _, body := ask(t, a, ctx, &req, &res); body != "Hello, world!" {
						t.Errorf("%q", body)
					}
				})
			})
		}
	}
}

// Content-Length stands in place of chunks and Authorization in place of Auth (seed: http.request).
// Connection: keep-alive does not, as it does in the seed, keep what the agent is to close.
func TestFieldsOfTheCaller(t *testing.T) {
	checkLeaks(t)
	heads := make(chan string, 1)
	url := script(t, func(c net.Conn) {
		heads <- simnet.ReadHead(c)
		_, _ = io.WriteString(c, hello)
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{})
	for _, c := range []struct {
		field   [2]string
		lines   []string
		without string
	}{
		{[2]string{"X-Own", "1"}, []string{"Transfer-Encoding: chunked", "Authorization: " + basicAuth("user:secret"), "Connection: close"}, "Content-Length"},
		{[2]string{"Content-Length", "4"}, []string{"Content-Length: 4"}, "chunked"},
		{[2]string{"Authorization", "Bearer mine"}, []string{"Authorization: Bearer mine"}, "Basic"},
		{[2]string{"Connection", "keep-alive"}, []string{"Connection: close"}, "keep-alive"},
	} {
		q := a.NewRequest(t.Context(), &agent.Request{URL: url, Method: "POST", Auth: "user:secret"})
		if err := q.SetHeader(c.field[0], c.field[1]); err != nil {
			t.Error(err)
		}
		if _, err := q.Write([]byte("body")); err != nil {
			t.Error(err)
		}
		head := simnet.Receive(t, heads, "the head")
		for _, line := range c.lines {
			if strings.Count(head, "\r\n"+line+"\r\n") != 1 || strings.Contains(head, c.without) {
				t.Errorf("%s: %q", c.field, head)
			}
		}
		q.Abort()
	}
}

// TestURLIsParsed: as by url.parse, bytes of a URL that no target can have are percent-encoded;
// those of Path are an error.
func TestURLIsParsed(t *testing.T) {
	got := make(chan string, 1)
	s := newServer(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.RequestURI })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for url, want := range map[string]string{
		"/a b?c d":   "/a%20b?c%20d",
		"/é|?é|\"":   "/%C3%A9%7C?%C3%A9%7C%22",
		"?a%20%zz#b": "/?a%20%zz",
		"/?[a]='{}'": "/?[a]='%7B%7D'",
	} {
		if err := a.Do(t.Context(), &agent.Request{URL: s.URL + url}, nil); err != nil {
			t.Errorf("%s: %v", url, err)
		} else if uri := <-got; uri != want {
			t.Errorf("%s became %s", url, uri)
		}
	}
	if err := a.Do(t.Context(), &agent.Request{URL: s.URL, Path: "/?é"}, nil); err == nil {
		t.Error("Path was not checked")
	}
}
