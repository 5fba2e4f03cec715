// Servers that misbehave: the right error, in time, and no poisoned socket afterwards.

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

func TestHostileServers(t *testing.T) {
	protocol := new(agent.ProtocolError)
	cases := []struct {
		name, answer string
		want         error // nil: a response; io.EOF: any error
		stall        bool
		protocol     bool
	}{
		{name: "garbage", answer: "SSH-2.0-x\r\n\r\n", protocol: true},
		{name: "both lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", protocol: true},
		{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", protocol: true},
		{name: "unknown coding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", protocol: true},
		{name: "bad chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", protocol: true},
		{name: "head too large", answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", protocol: true},
		{name: "too many interim answers", answer: strings.Repeat("HTTP/1.1 102 P\r\n\r\n", 65) + hello, protocol: true},
		{name: "short", answer: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", want: agent.ErrUnexpectedEOF},
		{name: "short chunks", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", want: agent.ErrUnexpectedEOF},
		{name: "half a head", answer: "HTTP/1.1 200 OK\r\nConte", want: agent.ErrUnexpectedEOF},
		{name: "nothing", answer: "", want: agent.ErrServerClosed},
		{name: "stalls", answer: "HTTP/1.1 200 OK\r\nConte", stall: true, want: agent.ErrTimeout},
		{name: "stalls in the body", answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", stall: true, want: agent.ErrTimeout},
		{name: "two answers", answer: hello + hello, stall: true},
		{name: "a byte too many", answer: hello + "x", stall: true},
		{name: "until the end", answer: "HTTP/1.0 200 OK\r\n\r\nHello, world!"},
		{name: "obs-fold", answer: "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 13\r\n\r\nHello, world!"},
	}
	for _, w := range ways()[:2] {
		for _, c := range cases {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				url := script(t, func(conn net.Conn) {
					simnet.ReadHead(conn)
					_, _ = io.WriteString(conn, c.answer)
					if c.stall {
						_, _ = io.Copy(io.Discard, conn)
					}
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				if c.want == agent.ErrTimeout { // the others get plenty of time
					a.Timeouts = agent.Timeouts{Response: 100 * time.Millisecond, Read: 100 * time.Millisecond}
				}
				w.call(t, func(ctx context.Context) {
					for range 2 {
						var req agent.Request
						var res agent.Response
						req.URL = url
						err := a.Do(ctx, &req, &res)
						var body []byte
						if err == nil {
							body, err = io.ReadAll(&res)
						}
						switch {
						case c.protocol && !errors.As(err, &protocol), c.want != nil && !errors.Is(err, c.want):
							t.Errorf("%q, %v", body, err)
						case !c.protocol && c.want == nil && (err != nil || string(body) != "Hello, world!"):
							t.Errorf("%q, %v", body, err)
						}
						_ = res.Close()
					}
				})
				if c.name != "obs-fold" {
					simnet.Eventually(t, "the pool to be empty", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
				}
			})
		}
	}
}

// TestHeadThatDrips: single bytes do not extend the time that a head may take, interim or not.
func TestHeadThatDrips(t *testing.T) {
	for _, w := range ways() {
		for _, start := range []string{"", hello, "HTTP/1.1 103 Early Hints\r\n\r\n"} {
			t.Run(fmt.Sprintf("%s/%.12q", w.name, start), func(t *testing.T) {
				checkLeaks(t)
				unhurried(t, func(limit time.Duration) bool { return dripping(t, w, start, limit) })
			})
		}
	}
}

// dripping makes a head drip: after start or, if start is a complete response, on the socket kept
// after it. It reports false when the machine was too slow for that, or the kept socket was not
// used.
func dripping(t *testing.T, w way, start string, limit time.Duration) bool {
	var sockets atomic.Int32
	url := script(t, func(conn net.Conn) {
		sockets.Add(1)
		simnet.ReadHead(conn)
		_, _ = io.WriteString(conn, start)
		if start == hello {
			simnet.ReadHead(conn)
		}
		clock := time.NewTicker(limit / 4) // the interval between lines is what is tested
		defer clock.Stop()
		for line, err := "HTTP/1.1 200 OK\r\n", error(nil); err == nil; line = "X: y\r\n" {
			_, err = io.WriteString(conn, line)
			<-clock.C
		}
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Response: limit}})
	arranged := true
	w.call(t, func(ctx context.Context) {
		if start == hello {
			if err := a.Do(ctx, &agent.Request{URL: url}, nil); errors.Is(err, agent.ErrTimeout) {
				arranged = false
				return
			} else if err != nil {
				t.Error(err)
			}
		}
		var res agent.Response
		err := a.Do(ctx, &agent.Request{URL: url}, &res)
		if arranged = sockets.Load() == 1; arranged && !errors.Is(err, agent.ErrTimeout) {
			t.Errorf("%v", err)
		}
		_ = res.Close()
	})
	return arranged
}

// A response that comes before the body was sent ends the sending, and is the result.
func TestEarlyAnswer(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			over := make(chan struct{})
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nno!")
				<-over // reads nothing of the body
			})
			defer close(over)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL, req.Method, req.Body = url, "POST", make([]byte, 32<<20)
				if status, body := ask(t, a, ctx, &req, &res); status != 413 || body != "no!" {
					t.Errorf("%d %q", status, body)
				}
			})
			simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
		})
	}
}

// An event on an idle socket ends it at once.
func TestIdleSocketsAreWatched(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			for _, last := range []string{"", "x"} { // a FIN, a byte
				end := make(chan struct{})
				url := script(t, func(c net.Conn) {
					simnet.ReadHead(c)
					_, _ = io.WriteString(c, hello)
					<-end
					_, _ = io.WriteString(c, last)
					if last != "" {
						_, _ = io.Copy(io.Discard, c)
					}
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = url
					ask(t, a, ctx, &req, &res)
					simnet.Eventually(t, "the socket to be free", func() bool { return len(a.FreeSockets()) == 1 })
					close(end)
					simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
				})
			}
		})
	}
}

// TLS: nothing is trusted unless it is configured to be, and sockets are kept.
func TestTLS(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				_, _ = w.Write(body)
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes are meant to be refused
			s.StartTLS()
			defer s.Close()
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL = s.URL
				var unknown *tls.CertificateVerificationError
				if err := a.Do(ctx, &req, &res); !errors.As(err, &unknown) {
					t.Errorf("%v", err)
				}
				req.Route.TLS = s.Client().Transport.(*http.Transport).TLSClientConfig
				req.Method = "POST"
				for i := range 5 {
					req.Body = []byte(strings.Repeat("x", i*20_000))
					if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != string(req.Body) {
						t.Errorf("%d, %d bytes", status, len(body))
					}
					if res.TLS() == nil {
						t.Error("no TLS state")
					}
				}
				simnet.Eventually(t, "the socket to be free", func() bool { return len(a.FreeSockets()) == 1 })
			})
		})
	}
}
