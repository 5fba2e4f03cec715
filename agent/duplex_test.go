// Streaming in both directions: a response that arrives while its request is still being sent.

package agent_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// pattern returns n bytes, each of which depends on its position.
type pattern struct{ at, n int64 }

func (p *pattern) Read(b []byte) (int, error) {
	b = b[:min(int64(len(b)), p.n-p.at)]
	for i := range b {
		b[i] = byte((p.at + int64(i)) % 251)
	}
	if p.at += int64(len(b)); len(b) == 0 {
		return 0, io.EOF
	}
	return len(b), nil
}

// checked reads from to its end, which must be a pattern of n bytes.
func checked(t *testing.T, from io.Reader, n int64) {
	t.Helper()
	buf := make([]byte, 64<<10)
	for at := int64(0); ; {
		m, err := from.Read(buf)
		for i, c := range buf[:m] {
			if c != byte((at+int64(i))%251) {
				t.Errorf("byte %d is wrong", at+int64(i))
				return
			}
		}
		if at += int64(m); err == io.EOF {
			if at != n {
				t.Errorf("%d bytes of %d", at, n)
			}
			return
		} else if err != nil {
			t.Errorf("after %d bytes: %v", at, err)
			return
		}
	}
}

// echo sends back what it receives, while it receives it.
func echo(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	_ = rc.EnableFullDuplex()
	w.WriteHeader(200)
	_ = rc.Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		if _, e := w.Write(buf[:n]); e != nil || err != nil {
			return
		}
		_ = rc.Flush()
	}
}

// More than any kernel buffers goes in both directions, and the socket is kept.
func TestEchoBothWays(t *testing.T) {
	var n int64
	whole, _ := io.ReadAll(&pattern{n: int64(many(64 << 20))})
	cases := []struct {
		name  string
		begin func(t *testing.T, a *agent.Agent, ctx context.Context, req *agent.Request) (*agent.Response, error)
	}{
		{"Source", func(t *testing.T, a *agent.Agent, ctx context.Context, req *agent.Request) (*agent.Response, error) {
			res := new(agent.Response)
			req.Source = agent.Source{Reader: &pattern{n: n}, Length: n}
			return res, a.Do(ctx, req, res)
		}},
		{"chunks", func(t *testing.T, a *agent.Agent, ctx context.Context, req *agent.Request) (*agent.Response, error) {
			res := new(agent.Response)
			req.Source = agent.Source{Reader: &pattern{n: n}}
			return res, a.Do(ctx, req, res)
		}},
		{"Body", func(t *testing.T, a *agent.Agent, ctx context.Context, req *agent.Request) (*agent.Response, error) {
			res := new(agent.Response)
			req.Body = whole[:n]
			return res, a.Do(ctx, req, res)
		}},
		{"ClientRequest", func(t *testing.T, a *agent.Agent, ctx context.Context, req *agent.Request) (*agent.Response, error) {
			c := a.NewRequest(ctx, req)
			if err := c.FlushHeaders(); err != nil {
				return nil, err
			}
			go func(n int64) {
				if _, err := io.Copy(c, &pattern{n: n}); err != nil {
					t.Errorf("Write: %v", err)
				}
				if err := c.End(nil); err != nil {
					t.Errorf("End: %v", err)
				}
			}(n)
			return c.Receive()
		}},
	}
	for _, w := range ways() {
		for _, c := range cases {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				s := newServer(t, echo)
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					for _, n = range []int64{int64(len(whole)), 1 << 20} {
						req := &agent.Request{URL: s.URL, Method: "POST"}
						res, err := c.begin(t, a, ctx, req)
						if err != nil {
							t.Error(err)
							return
						}
						checked(t, res, n)
						_ = res.Close()
					}
				})
				if opened := s.opened.Load(); opened > w.sockets() {
					t.Errorf("%d sockets", opened)
				}
			})
		}
	}
}

// The same over TLS, where reading may have to write, and writing may have to wait.
func TestEchoOverTLS(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := httptest.NewTLSServer(http.HandlerFunc(echo))
			defer s.Close()
			a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: s.Client().Transport.(*http.Transport).TLSClientConfig})
			w.call(t, func(ctx context.Context) {
				n := int64(many(16 << 20))
				var req agent.Request
				var res agent.Response
				for range 2 {
					req.URL, req.Method, req.Source = s.URL, "POST", agent.Source{Reader: &pattern{n: n}, Length: n}
					if err := a.Do(ctx, &req, &res); err != nil {
						t.Error(err)
						return
					}
					checked(t, &res, n)
					_ = res.Close()
				}
			})
		})
	}
}

// A conversation: what is sent next depends on what has been received.
func TestConversation(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, echo)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				read, write := io.Pipe()
				var req agent.Request
				var res agent.Response
				req.URL, req.Method, req.Source.Reader = s.URL, "POST", read
				if err := a.Do(ctx, &req, &res); err != nil { // before any of the body is sent
					t.Error(err)
					return
				}
				defer res.Close()
				lines := bufio.NewReader(&res)
				for range 100 {
					if _, err := io.WriteString(write, "a line\n"); err != nil {
						t.Error(err)
						return
					}
					if line, err := lines.ReadString('\n'); line != "a line\n" {
						t.Errorf("%q, %v", line, err)
						return
					}
				}
				_ = write.Close()
				if rest, err := io.ReadAll(lines); len(rest) > 0 || err != nil {
					t.Errorf("%q, %v", rest, err)
				}
			})
		})
	}
}

// stuck is a Source that delivers nothing until release.
type stuck struct{ release chan struct{} }

func (s stuck) Read(p []byte) (int, error) {
	<-s.release
	return len(p), nil
}

// A final response is returned although the body never comes, and everything can be reused at
// once although a Read of the Source is still waiting.
func TestAnswerBeforeSource(t *testing.T) {
	for _, w := range ways() {
		for _, head := range []string{"HTTP/1.1 413 No\r\n", "HTTP/1.1 401 No\r\nConnection: close\r\n", "HTTP/1.1 200 OK\r\n"} {
			t.Run(w.name+"/"+head[9:12], func(t *testing.T) {
				checkLeaks(t)
				var asked atomic.Int32
				url := script(t, func(c net.Conn) {
					simnet.ReadHead(c)
					if asked.Add(1)%2 == 0 {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\nHello, world!")
						return
					}
					_, _ = io.WriteString(c, head+"Content-Length: 3\r\n\r\nno!")
					_, _ = io.Copy(io.Discard, c)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				source := stuck{make(chan struct{})}
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = url
					for range 3 {
						req.Method, req.Source.Reader = "POST", source
						if _, body := ask(t, a, ctx, &req, &res); body != "no!" {
							t.Errorf("%q", body)
						}
						req.Method, req.Source.Reader = "GET", nil
						if _, body := ask(t, a, ctx, &req, &res); body != "Hello, world!" {
							t.Errorf("then %q", body)
						}
					}
				})
				close(source.release)
				simnet.Eventually(t, "the sockets to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
			})
		}
	}
}

// Closing a response early ends the sending, even if the server reads no more.
func TestCloseWhileSending(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			over := make(chan struct{})
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
				<-over // reads nothing of the body
			})
			defer close(over)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				for i := range 4 {
					req := agent.Request{URL: url, Method: "POST"}
					if i%2 == 0 {
						req.Source.Reader = &pattern{n: 1 << 40}
					} else {
						req.Body = make([]byte, 32<<20)
					}
					var res agent.Response
					if err := a.Do(ctx, &req, &res); err != nil {
						t.Error(err)
						return
					}
					if n, err := res.Read(make([]byte, 9)); n != 1 {
						t.Errorf("%d, %v", n, err)
					}
					_ = res.Close()
				}
			})
			simnet.Eventually(t, "the sockets to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
		})
	}
}

var errTorn = errors.New("torn")

// torn is a Source that fails in the middle.
type torn struct{ n int }

func (s *torn) Read(p []byte) (int, error) {
	if s.n -= len(p); s.n <= 0 {
		return 0, errTorn
	}
	return len(p), nil
}

// A Source that fails ends the call, before the head of the response or after it.
func TestSourceFails(t *testing.T) {
	for _, w := range ways() {
		for _, early := range []bool{false, true} {
			t.Run(w.name, func(t *testing.T) {
				checkLeaks(t)
				url := script(t, func(c net.Conn) {
					simnet.ReadHead(c)
					if early {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
					}
					_, _ = io.Copy(io.Discard, c)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL, req.Method, req.Source.Reader = url, "PUT", &torn{1 << 20}
					err := a.Do(ctx, &req, &res)
					if err == nil && early {
						_, err = io.ReadAll(&res)
					}
					var e *agent.Error
					if !errors.Is(err, agent.ErrSource) || !errors.Is(err, errTorn) || !errors.As(err, &e) || e.Op != "send" {
						t.Errorf("%v", err)
					}
				})
				simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
			})
		}
	}
}

// trickle delivers n bytes, with a delay before each.
type trickle struct {
	n    int
	each time.Duration
}

func (s *trickle) Read(p []byte) (int, error) {
	if s.n--; s.n < 0 {
		return 0, io.EOF
	}
	time.Sleep(s.each) // sleep: a sender that is slower than the time for an answer is the subject
	return copy(p, "x"), nil
}

// The response timeout begins when the body has been sent, and does expire.
func TestResponseTimeoutWhileSending(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			var answers atomic.Bool
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				n, _ := io.Copy(io.Discard, r.Body)
				if !answers.Load() {
					<-r.Context().Done()
				}
				_, _ = io.CopyN(w, &pattern{n: n}, n)
			})
			post := func(ctx context.Context, limit time.Duration) error {
				a := newAgent(t, &agent.Agent{Timeouts: agent.Timeouts{Response: limit}})
				req, res := &agent.Request{URL: s.URL, Method: "POST"}, new(agent.Response)
				defer res.Close()
				req.Source.Reader = &trickle{15, limit / 10}
				return a.Do(ctx, req, res)
			}
			w.call(t, func(ctx context.Context) {
				answers.Store(true)
				unhurried(t, func(limit time.Duration) bool {
					err := post(ctx, limit)
					if err != nil && !errors.Is(err, agent.ErrTimeout) {
						t.Error(err)
					}
					return !errors.Is(err, agent.ErrTimeout)
				})
				answers.Store(false)
				if err := post(ctx, 50*time.Millisecond); !errors.Is(err, agent.ErrTimeout) {
					t.Errorf("without an answer: %v", err)
				}
			})
		})
	}
}

// A context that ends while a body is sent and its response read ends both.
func TestCancelWhileSending(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, echo)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				var req agent.Request
				var res agent.Response
				req.URL, req.Method, req.Source.Reader = s.URL, "POST", &pattern{n: 1 << 40}
				if err := a.Do(ctx, &req, &res); err != nil {
					t.Error(err)
					return
				}
				defer res.Close()
				_, err := io.CopyN(io.Discard, &res, 1<<20)
				if err == nil {
					cancel()
					_, err = io.Copy(io.Discard, &res)
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			})
			simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
		})
	}
}
