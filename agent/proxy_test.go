// Proxies: what is sent to them, what goes through them, and who sees which credentials.

package agent_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// proxyServer is a proxy that records the heads it receives. It answers plain requests itself, and
// makes tunnels; if refusal is set, it sends only that.
type proxyServer struct {
	addr    string
	refusal string
	mu      sync.Mutex
	heads   []string
	beyond  []byte // the bytes after a refused CONNECT
}

func newProxy(t testing.TB, refusal string) *proxyServer {
	p := &proxyServer{refusal: refusal}
	p.addr = strings.TrimPrefix(script(t, p.serve), "http://")
	return p
}

func (p *proxyServer) serve(c net.Conn) {
	for {
		head := simnet.ReadHead(c)
		if head == "" {
			return
		}
		p.mu.Lock()
		p.heads = append(p.heads, head)
		p.mu.Unlock()
		target, tunnel := strings.CutPrefix(head, "CONNECT ")
		switch {
		case p.refusal != "":
			_, _ = io.WriteString(c, p.refusal)
			rest, _ := io.ReadAll(c)
			p.mu.Lock()
			p.beyond = append(p.beyond, rest...)
			p.mu.Unlock()
			return
		case !tunnel:
			_, _ = io.WriteString(c, hello)
			continue
		}
		address, _, _ := strings.Cut(target, " ")
		to, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		go func() {
			_, _ = io.Copy(to, c)
			_ = to.Close()
		}()
		_, _ = io.Copy(c, to)
		return
	}
}

// sent returns the heads received.
func (p *proxyServer) sent() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.heads...)
}

func basicAuth(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }

func TestForwardProxy(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			p := newProxy(t, "")
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			var want []string
			w.call(t, func(ctx context.Context) {
				for _, c := range []struct{ url, method, path, auth, line string }{
					{"http://origin.example/a?b", "GET", "", "", "GET http://origin.example/a?b HTTP/1.1\r\nHost: origin.example\r\n"},
					{"http://origin.example:81/", "POST", "/c", "", "POST http://origin.example:81/c HTTP/1.1\r\nHost: origin.example:81\r\n"},
					{"http://origin.example", "OPTIONS", "*", "", "OPTIONS http://origin.example HTTP/1.1\r\nHost: origin.example\r\n"},
					{"http://origin.example", "GET", "/", "me:mine", "GET http://origin.example/ HTTP/1.1\r\nHost: origin.example\r\nAuthorization: " + basicAuth("me:mine") + "\r\n"},
				} {
					var req agent.Request
					var res agent.Response
					req.URL, req.Method, req.Path, req.Auth = c.url, c.method, c.path, c.auth
					req.Route.Proxy = "http://user:secret@" + p.addr
					if status, _ := ask(t, a, ctx, &req, &res); status != 200 {
						t.Errorf("%s: %d", c.line, status)
					}
					want = append(want, c.line+"Proxy-Authorization: "+basicAuth("user:secret")+"\r\n")
				}
			})
			got := p.sent()
			if len(got) != len(want) {
				t.Fatalf("%q", got)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("the proxy got %q, want %q", got[i], want[i])
				}
			}
		})
	}
}

// A target from SetPath takes the same form as one from Path.
func TestForwardProxySetPath(t *testing.T) {
	p := newProxy(t, "")
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var req agent.Request
	var res agent.Response
	req.URL, req.Route.Proxy = "http://origin.example", "http://"+p.addr
	req.SetPath([]byte("/raw"))
	ask(t, a, t.Context(), &req, &res)
	req.Method = "OPTIONS"
	req.SetPath([]byte("*"))
	ask(t, a, t.Context(), &req, &res)
	got := p.sent()
	if len(got) != 2 || !strings.HasPrefix(got[0], "GET http://origin.example/raw HTTP/1.1\r\n") ||
		!strings.HasPrefix(got[1], "OPTIONS http://origin.example HTTP/1.1\r\n") {
		t.Errorf("%q", got)
	}
	if strings.Contains(strings.Join(got, ""), "Authorization") {
		t.Errorf("credentials that nobody has given: %q", got)
	}
}

func TestProxyTunnel(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			origin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.RequestURI, " ", r.Header["Authorization"], r.Header["Proxy-Authorization"])
			}))
			defer origin.Close()
			p := newProxy(t, "")
			a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: origin.Client().Transport.(*http.Transport).TLSClientConfig})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL, req.Auth = origin.URL+"/x", "me:mine"
				req.Route.Proxy = "http://user:secret@" + p.addr
				for range 3 {
					if _, body := ask(t, a, ctx, &req, &res); body != "/x ["+basicAuth("me:mine")+"] []" {
						t.Errorf("the origin got %s", body)
					}
				}
				// Other credentials must not be available by sharing a socket.
				req.Route.Proxy = "http://other:secret@" + p.addr
				ask(t, a, ctx, &req, &res)
			})
			address := strings.TrimPrefix(origin.URL, "https://")
			users := ""
			for _, head := range p.sent() {
				for _, user := range []string{"user", "other"} {
					if head == "CONNECT "+address+" HTTP/1.1\r\nHost: "+address+"\r\nProxy-Authorization: "+basicAuth(user+":secret")+"\r\n\r\n" {
						users += user + " "
					}
				}
			}
			if n := int64(len(p.sent())); n > 1+w.sockets() || !strings.HasPrefix(users, "user ") || !strings.HasSuffix(users, "other ") {
				t.Errorf("the proxy got %q", p.sent())
			}
			a.Destroy() // ends the tunnels, and with them the proxy's goroutines
		})
	}
}

// A tunnel that was refused, or is not one, carries nothing.
func TestProxyRefusal(t *testing.T) {
	for _, w := range ways() {
		for _, c := range []struct {
			name, answer string
			status       int // in the ProxyError
			want         error
		}{
			{"407", "HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nwho?", 407, nil},
			{"502", "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", 502, nil},
			{"302", "HTTP/1.1 302 No\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n", 302, nil},
			{"407 behind a hint", "HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 407 Who\r\n\r\n", 407, nil},
			{"early bytes", "HTTP/1.1 200 OK\r\n\r\nx", 0, nil},
			{"garbage", "SSH-2.0-x\r\n\r\n", 0, nil},
			{"stalls", "HTTP/1.1 2", 0, agent.ErrTimeout},
		} {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				p := newProxy(t, c.answer)
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				if c.want == agent.ErrTimeout { // the others get plenty of time
					a.Timeouts.Response = 50 * time.Millisecond
				}
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL, req.Auth, req.Method, req.Body = "https://origin.example/", "me:mine", "POST", []byte("body")
					req.Route.Proxy = "http://user:secret@" + p.addr
					err := a.Do(ctx, &req, &res)
					var e *agent.Error
					if !errors.As(err, &e) || e.Op != "proxy" || c.want != nil && !errors.Is(err, c.want) {
						t.Fatalf("%v", err)
					}
					if refused := new(agent.ProxyError); c.status != 0 && (!errors.As(err, &refused) || refused.Status != c.status) {
						t.Errorf("%v", err)
					}
					if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "mine") {
						t.Errorf("credentials in %v", err)
					}
				})
				simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
				if got := p.sent(); len(got) != 1 {
					t.Errorf("%q", got)
				}
				p.mu.Lock()
				defer p.mu.Unlock()
				if len(p.beyond) > 0 {
					t.Errorf("%q went to the proxy", p.beyond)
				}
			})
		}
	}
}

func TestProxyOption(t *testing.T) {
	a := newAgent(t, new(agent.Agent))
	for _, through := range []string{"proxy:80", "ftp://proxy", "https://", "http://", "http://proxy:0", "http://proxy:65536", "http://a:secret@proxy:x", "socks5://proxy"} {
		req := agent.Request{URL: "http://origin.example"}
		req.Route.Proxy = through
		var e *agent.Error
		if err := a.Do(t.Context(), &req, nil); !errors.As(err, &e) || e.Op != "request" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", through, err)
		}
	}
}

// TestProxyThatDoesNotAnswer: a proxy that is slow in every piece of its answer, or never ends it,
// holds its place only for as long as a connection may take to make.
func TestProxyThatDoesNotAnswer(t *testing.T) {
	for _, w := range ways() {
		for _, line := range []string{"X: y\r\n", ""} {
			t.Run(fmt.Sprintf("%s/%q", w.name, line), func(t *testing.T) {
				checkLeaks(t)
				var asked atomic.Int32
				url := script(t, func(c net.Conn) {
					simnet.ReadHead(c)
					if asked.Add(1) > 1 {
						_, _ = io.WriteString(c, "HTTP/1.1 407 Who\r\n\r\n")
						return
					}
					_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n")
					for err == nil && line != "" {
						_, err = io.WriteString(c, line)
						time.Sleep(time.Millisecond) // sleep: the interval between lines is what is tested
					}
					_, _ = io.Copy(io.Discard, c)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1, Timeouts: agent.Timeouts{Dial: 100 * time.Millisecond}})
				w.call(t, func(ctx context.Context) {
					req := agent.Request{URL: "https://origin.example/"}
					req.Route.Proxy = url
					var e *agent.Error
					if err := a.Do(ctx, &req, nil); !errors.As(err, &e) || !e.Timeout() {
						t.Errorf("%v", err)
					}
					ctx, stop := context.WithTimeout(ctx, simnet.Patience/2)
					defer stop()
					for err := a.Do(ctx, &req, nil); !errors.As(err, new(*agent.ProxyError)); err = a.Do(ctx, &req, nil) {
						if ctx.Err() != nil {
							t.Fatalf("then %v", err)
						}
					}
				})
			})
		}
	}
}
