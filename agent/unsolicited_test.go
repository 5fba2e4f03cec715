// Input that arrives on a kept socket before the loop has polled again.

package agent_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// certificate returns the configuration of a TLS test server, and one for its clients.
func certificate(t testing.TB) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &tls.Config{Certificates: s.TLS.Certificates}, clientConfig(s)
}

// holding is a connection that, while on, withholds the last byte of each write.
type holding struct {
	net.Conn
	on bool
}

func (h *holding) Write(p []byte) (int, error) {
	if !h.on {
		return h.Conn.Write(p)
	}
	n, err := h.Conn.Write(p[:len(p)-1])
	return n + 1, err
}

// An unsolicited response, or a part of one, or the end of the connection, that arrives while the
// handler computes between two requests does not become the response to the second one.
func TestUnseenInput(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nXX"
	server, client := certificate(t)
	for _, w := range ways() {
		for _, c := range []struct {
			name          string
			secure, holds bool
			last          string // "": the end
			wrapped       bool
		}{
			{name: "answer", last: stray},
			{name: "end"},
			{name: "answer through TLS", secure: true, last: stray},
			{name: "end of TLS", secure: true},
			{name: "most of a record of TLS", secure: true, holds: true, last: stray},
			{name: "answer to a wrapped socket", last: stray, wrapped: true},
			{name: "answer to a wrapped socket through TLS", secure: true, last: stray, wrapped: true},
			{name: "most of a record to a wrapped socket", secure: true, holds: true, last: stray, wrapped: true},
		} {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				var done, said atomic.Bool
				url := script(t, func(nc net.Conn) {
					under := &holding{Conn: nc}
					if nc = under; c.secure {
						nc = tls.Server(under, server)
					}
					if simnet.ReadHead(nc); !said.Load() {
						_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nr1")
						for !done.Load() {
						}
						under.on = c.holds
						if _, _ = io.WriteString(nc, c.last); c.last == "" {
							_ = nc.Close()
						}
						said.Store(true)
						_, _ = io.Copy(io.Discard, under.Conn)
						return
					}
					_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nr2")
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: client})
				if c.secure {
					url = "https" + url[len("http"):]
				}
				if c.wrapped {
					a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
						nc, err := new(net.Dialer).DialContext(ctx, network, addr)
						return plain{nc}, err
					}
				}
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL, req.Method = url, "POST"
					for range 10 {
						done.Store(false)
						said.Store(false)
						if _, body := ask(t, a, ctx, &req, &res); body != "r1" {
							t.Errorf("first %q", body)
							return
						}
						done.Store(true)
						for !said.Load() { // compute: the handler keeps its loop
						}
						if _, body := ask(t, a, ctx, &req, &res); body != "r2" {
							t.Errorf("second %q", body)
							return
						}
					}
				})
			})
		}
	}
}

// Two responses in one TLS record are two responses, the second of them unsolicited.
func TestTwoAnswersInARecord(t *testing.T) {
	server, client := certificate(t)
	for _, w := range ways() {
		for _, cut := range []int{0, 1, len(hello) - 1} { // of the second
			t.Run(fmt.Sprint(w.name, "/", cut), func(t *testing.T) {
				checkLeaks(t)
				var sockets atomic.Int64
				url := script(t, func(c net.Conn) {
					sockets.Add(1)
					c = tls.Server(c, server)
					for simnet.ReadHead(c) != "" {
						_, _ = io.WriteString(c, hello+hello[:len(hello)-cut])
					}
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: client})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = "https" + url[len("http"):]
					for range 3 {
						if _, body := ask(t, a, ctx, &req, &res); body != "Hello, world!" {
							t.Errorf("%q", body)
						}
					}
				})
				if n := sockets.Load(); n != 3 {
					t.Errorf("3 answers came through %d sockets", n)
				}
				simnet.Eventually(t, "the pool to be empty", func() bool { return len(a.FreeSockets())+len(a.Sockets()) == 0 })
			})
		}
	}
}
