// The k-th operation of a connection fails, for every k, either once or from then on: the call
// must end, with a response or one of our errors, and nothing may be left behind.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// faults makes the k-th operation fail and, with ever, all later ones.
type faults struct {
	k    int64
	ever bool
	done atomic.Int64
}

func (f *faults) strikes() bool {
	n := f.done.Add(1)
	return n == f.k || f.ever && n > f.k
}

// faulty is a connection whose operations fail; after that it is dead, like a real one.
type faulty struct {
	net.Conn
	f *faults
}

func (c *faulty) Read(p []byte) (int, error) {
	if c.f.strikes() {
		_ = c.Conn.Close()
		return 0, syscall.ECONNRESET
	}
	return c.Conn.Read(p)
}

func (c *faulty) Write(p []byte) (int, error) {
	if c.f.strikes() {
		n, _ := c.Conn.Write(p[:len(p)/2])
		_ = c.Conn.Close()
		return n, syscall.EPIPE
	}
	return c.Conn.Write(p)
}

func (c *faulty) SetReadDeadline(t time.Time) error {
	if c.f.strikes() {
		_ = c.Conn.Close()
		return net.ErrClosed
	}
	return c.Conn.SetReadDeadline(t)
}

func TestEveryOperationFails(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, strings.Repeat("x", 5000))
	})
	plainServer, secureServer := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	secureServer.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes are meant to fail
	secureServer.StartTLS()
	defer plainServer.Close()
	defer secureServer.Close()
	for _, w := range ways()[:2] {
		for _, s := range []*httptest.Server{plainServer, secureServer} {
			for _, ever := range []bool{false, true} {
				t.Run(fmt.Sprint(w.name, "/", s.URL[:5], "/ever ", ever), func(t *testing.T) {
					checkLeaks(t)
					for k := int64(1); k < 200; k++ {
						f := &faults{k: k, ever: ever}
						a := &agent.Agent{KeepAlive: true, MaxSockets: 2, TLS: clientConfig(secureServer)}
						a.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
							if f.strikes() {
								return nil, syscall.ECONNREFUSED
							}
							c, err := new(net.Dialer).DialContext(ctx, network, addr)
							return &faulty{c, f}, err
						}
						failed := 0
						w.call(t, func(ctx context.Context) {
							var req agent.Request
							var res agent.Response
							req.URL, req.Method = s.URL, "PUT"
							for i := range 4 {
								req.Body = make([]byte, i*7000)
								err := a.Do(ctx, &req, &res)
								var body []byte
								if err == nil {
									body, err = io.ReadAll(&res)
								}
								var e *agent.Error
								switch want := fmt.Sprint(len(req.Body)) + strings.Repeat("x", 5000); {
								case err == nil && string(body) != want:
									t.Errorf("k = %d, request %d: %d, %d bytes", k, i, res.StatusCode(), len(body))
								case err != nil && !errors.As(err, &e):
									t.Errorf("k = %d, request %d: %v", k, i, err)
								case err != nil:
									failed++
								}
								_ = res.Close()
							}
						})
						if !ever && failed > 1 {
							t.Errorf("k = %d: one fault has failed %d requests", k, failed)
						}
						simnet.Eventually(t, "no socket to be in use", func() bool { return sum(a.Sockets()) == 0 })
						a.Destroy()
						if f.done.Load() < k {
							return // there is no such operation
						}
					}
					t.Error("it never ends")
				})
			}
		}
	}
}
