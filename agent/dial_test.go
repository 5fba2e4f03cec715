// Dialling: every way to reach a server, and the error when there is none.

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// names is a name server on loopback that resolves host names from answers during a test. It
// counts the queries, except for names that the machine's search list has been applied to.
type names struct {
	answers map[string][]string
	asked   atomic.Int64 // for IPv4 addresses
	hold    chan struct{}
}

func newNames(t testing.TB, n *names) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = pc.Close()
	})
	go func() {
		buf := make([]byte, 1500)
		for {
			k, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if n.hold != nil {
				<-n.hold
			}
			_, _ = pc.WriteTo(n.answer(buf[:k]), from)
		}
	}()
}

// answer makes the response to a DNS query (RFC 1035 §4): the addresses of the type asked for.
func (n *names) answer(q []byte) []byte {
	var name []string
	i := 12
	for q[i] != 0 {
		name = append(name, string(q[i+1:i+1+int(q[i])]))
		i += 1 + int(q[i])
	}
	kind, host := q[i+2], strings.Join(name, ".")
	if kind == 1 && strings.HasSuffix(host, ".example") {
		n.asked.Add(1)
	}
	ips, known := n.answers[host]
	var records []byte
	count := byte(0)
	for _, text := range ips {
		ip := netip.MustParseAddr(text)
		if ip.Is4() != (kind == 1) {
			continue
		}
		b := ip.AsSlice()
		records = append(append(records, 0xC0, 12, 0, kind, 0, 1, 0, 0, 0, 60, 0, byte(len(b))), b...)
		count++
	}
	head := []byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0}
	if !known {
		head[3] |= 3 // NXDOMAIN
	}
	return append(append(head, q[12:i+5]...), records...)
}

func TestRoutes(t *testing.T) {
	checkLeaks(t)
	newNames(t, &names{answers: map[string][]string{
		"one.example.": {"127.0.0.1"}, "one.example": {"127.0.0.1"},
		"dead.example": {"127.0.0.2", "127.0.0.1"}, "both.example": {"::1", "127.0.0.1"},
		"gone.example": {"127.0.0.2", "127.0.0.3"},
	}})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, " ", r.RemoteAddr) })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	unix := &httptest.Server{Listener: l, Config: &http.Server{Handler: s.Config.Handler}}
	unix.Start()
	defer unix.Close()
	for _, w := range ways() {
		for _, c := range []struct {
			name, host string
			route      agent.Route
			op, want   string // the operation that fails, or what the server says
			err        error
		}{
			{name: "address", host: "127.0.0.1", want: "127.0.0.1:" + port + " 127.0.0.1:"},
			{name: "name", host: "one.example", want: "one.example:" + port + " 127.0.0.1:"},
			{name: "first address is dead", host: "dead.example", want: "dead.example:" + port + " 127.0.0.1:"},
			{name: "first family is dead", host: "both.example", want: "both.example:" + port + " 127.0.0.1:"},
			{name: "all are dead", host: "gone.example", op: "dial", err: syscall.ECONNREFUSED},
			{name: "refused", host: "127.0.0.2", op: "dial", err: syscall.ECONNREFUSED},
			{name: "no such name", host: "none.example", op: "resolve"},
			{name: "family 4", host: "both.example", route: agent.Route{Family: 4}, want: "both.example:" + port + " 127.0.0.1:"},
			{name: "family 6", host: "both.example", route: agent.Route{Family: 6}, op: "dial"},
			{name: "family 6 of a name without", host: "one.example", route: agent.Route{Family: 6}, op: "resolve"},
			{name: "family 6 of another address", host: "127.0.0.1", route: agent.Route{Family: 6}, op: "resolve"},
			{name: "family 5", host: "127.0.0.1", route: agent.Route{Family: 5}, op: "request"},
			{name: "local address", host: "both.example", route: agent.Route{LocalAddress: "127.0.0.9"}, want: "both.example:" + port + " 127.0.0.9:"},
			{name: "local address of nobody", host: "127.0.0.1", route: agent.Route{LocalAddress: "203.0.113.1"}, op: "dial", err: syscall.EADDRNOTAVAIL},
			{name: "local address of the other family", host: "127.0.0.1", route: agent.Route{LocalAddress: "::1"}, op: "resolve"},
			{name: "local address that is none", host: "127.0.0.1", route: agent.Route{LocalAddress: "lo"}, op: "request"},
			{name: "unix socket", host: "any.example", route: agent.Route{SocketPath: path}, want: "any.example:" + port + " @"},
			{name: "no unix socket", host: "any.example", route: agent.Route{SocketPath: path + "x"}, op: "dial", err: syscall.ENOENT},
			{name: "unix socket with too long a name", host: "any.example", route: agent.Route{SocketPath: "/" + strings.Repeat("x", 200)}, op: "dial"},
		} {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL, req.Route = "http://"+c.host+":"+port, c.route
					if c.op == "" {
						if _, body := ask(t, a, ctx, &req, &res); !strings.HasPrefix(body, c.want) {
							t.Errorf("%q, want %q", body, c.want)
						}
						return
					}
					var e *agent.Error
					if err := a.Do(ctx, &req, &res); !errors.As(err, &e) || e.Op != c.op || c.err != nil && !errors.Is(err, c.err) {
						t.Errorf("%v", err)
					}
				})
				if c.op != "" {
					simnet.Eventually(t, "the places to be given back", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
				}
			})
		}
	}
}

// Callers that ask for a name while it is being looked up wait for the same lookup, whose
// result is cached.
func TestOneLookup(t *testing.T) {
	checkLeaks(t)
	n := &names{answers: map[string][]string{"one.example": {"127.0.0.1"}}, hold: make(chan struct{})}
	newNames(t, n)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	a := newAgent(t, new(agent.Agent))
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			var req agent.Request
			var res agent.Response
			req.URL = "http://one.example:" + port
			ask(t, a, context.Background(), &req, &res)
		})
	}
	close(n.hold)
	group.Wait()
	if k := n.asked.Load(); k != 1 {
		t.Errorf("%d questions", k)
	}
}

// The addresses of a name are cached, but not for ever; a failed lookup is not cached.
func TestNamesAreKeptForAWhile(t *testing.T) {
	n := &names{answers: map[string][]string{"one.example": {"127.0.0.1"}}}
	newNames(t, n)
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Connection", "close") })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	a := newAgent(t, new(agent.Agent))
	get := func(host string) error {
		return a.Do(t.Context(), &agent.Request{URL: "http://" + host + ":" + port}, nil)
	}
	for i, c := range []struct {
		host  string
		ages  bool
		asked int64
		known bool
	}{
		{"one.example", false, 1, true}, {"one.example", false, 1, true}, {"one.example", true, 2, true}, {"one.example", false, 2, true},
		{"none.example", false, 3, false}, {"none.example", false, 4, false},
	} {
		if c.ages {
			agent.AgeNames(a)
		}
		if err := get(c.host); (err == nil) != c.known || n.asked.Load() != c.asked {
			t.Errorf("%d: %v, %d questions, want %d", i, err, n.asked.Load(), c.asked)
		}
	}
}

// plain hides that a connection is one of package net, so that it cannot be taken over.
type plain struct{ net.Conn }

func TestCustomDial(t *testing.T) {
	refuse := errors.New("not today")
	for _, w := range ways() {
		for _, wrapped := range []bool{false, true} {
			t.Run(fmt.Sprint(w.name, "/wrapped ", wrapped), func(t *testing.T) {
				checkLeaks(t)
				s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					_, _ = w.Write(body)
				})
				secure := httptest.NewTLSServer(s.Config.Handler)
				defer secure.Close()
				var mu sync.Mutex
				var dialled []string
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					mu.Lock()
					dialled = append(dialled, network+" "+addr)
					mu.Unlock()
					to := s.Listener.Addr().String()
					switch {
					case strings.HasPrefix(addr, "refused."):
						return nil, refuse
					case strings.HasPrefix(addr, "secure."):
						to = secure.Listener.Addr().String()
					}
					c, err := net.Dial("tcp", to)
					if wrapped {
						c = plain{c}
					}
					return c, err
				}
				a.TLS = &tls.Config{RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
				w.call(t, func(ctx context.Context) {
					for _, url := range []string{"http://plain.example:81", "https://secure.example"} {
						var req agent.Request
						var res agent.Response
						req.URL, req.Method = url, "POST"
						for i := range 4 {
							req.Body = []byte(strings.Repeat("x", i*9000))
							if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != string(req.Body) {
								t.Errorf("%s: %d, %d bytes", url, status, len(body))
							}
						}
					}
					if err := a.Do(ctx, &agent.Request{URL: "http://refused.example"}, nil); !errors.Is(err, refuse) {
						t.Errorf("%v", err)
					}
				})
				mu.Lock()
				defer mu.Unlock()
				all := strings.Join(dialled, ", ")
				if !strings.HasPrefix(all, "tcp plain.example:81, ") || !strings.Contains(all, "tcp secure.example:443, ") || !strings.HasSuffix(all, "tcp refused.example:80") {
					t.Errorf("dialled %s", all)
				}
			})
		}
	}
}

// A call waits for a dialling that does not end no longer than Timeouts.Dial, or the context,
// allows.
func TestDialTimeout(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			a := newAgent(t, &agent.Agent{MaxSockets: 1, Timeouts: agent.Timeouts{Dial: 20 * time.Millisecond}})
			a.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			w.call(t, func(ctx context.Context) {
				var e *agent.Error
				for range 2 { // the second gets the place of the first
					if err := a.Do(ctx, &agent.Request{URL: "http://a.example"}, nil); !errors.As(err, &e) || e.Op != "dial" || !e.Timeout() {
						t.Errorf("%v", err)
					}
				}
			})
		})
	}
}

// A server that answers a TLS handshake with plain HTTP: the error is that of the handshake.
func TestFailedHandshake(t *testing.T) {
	checkLeaks(t)
	url := script(t, func(c net.Conn) { _, _ = io.WriteString(c, hello) })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var e *agent.Error
	if err := a.Do(t.Context(), &agent.Request{URL: strings.Replace(url, "http:", "https:", 1)}, nil); !errors.As(err, &e) || e.Op != "tls" {
		t.Errorf("%v", err)
	}
	simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
}

// A connection that Agent.Dial returns after the agent was destroyed is closed.
func TestDialAfterDestroy(t *testing.T) {
	for _, wrapped := range []bool{false, true} {
		t.Run(strconv.FormatBool(wrapped), func(t *testing.T) {
			checkLeaks(t)
			over := make(chan error, 1)
			url := script(t, func(c net.Conn) {
				_ = c.SetDeadline(time.Now().Add(simnet.Patience))
				_, err := io.Copy(io.Discard, c)
				over <- err
			})
			a := newAgent(t, new(agent.Agent))
			a.Dial = func(_ context.Context, network, addr string) (net.Conn, error) {
				c, err := net.Dial(network, addr)
				a.Destroy()
				if wrapped {
					c = plain{c}
				}
				return c, err
			}
			if err := a.Do(t.Context(), &agent.Request{URL: url}, nil); !errors.Is(err, agent.ErrDestroyed) {
				t.Errorf("%v", err)
			}
			if err := simnet.Receive(t, over, "the connection to be closed"); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
}
