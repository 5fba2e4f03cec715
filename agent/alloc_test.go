// Nothing is allocated for a request on a socket that was kept.

package agent_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/pool"
)

// cannedServer answers whatever comes with the same bytes, one answer a read, without
// allocating.
func cannedServer(t testing.TB, answer string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf, out := make([]byte, 4096), []byte(answer)
				for {
					if _, err := c.Read(buf); err != nil {
						return
					}
					if _, err := c.Write(out); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

const hello = "HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 08:00:00 GMT\r\nContent-Length: 13\r\n\r\nHello, world!"

func TestAllocations(t *testing.T) {
	if pool.Debug || raceEnabled {
		t.Skip("with galedebug and under the race detector other things are measured")
	}
	url := "http://" + cannedServer(t, hello) + "/"
	for _, w := range ways()[:2] {
		t.Run(w.name, func(t *testing.T) {
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				if w.name == "goroutine" {
					ctx = context.Background()
				}
				var req agent.Request
				var res agent.Response
				req.URL = url
				var buf [64]byte
				n := testing.AllocsPerRun(500, func() {
					if err := a.Do(ctx, &req, &res); err != nil {
						t.Error(err)
						return
					}
					n, _ := io.ReadFull(&res, buf[:13])
					if string(buf[:n]) != "Hello, world!" || string(res.Header("content-length")) != "13" {
						t.Errorf("%q", buf[:n])
					}
				})
				if n != 0 {
					t.Errorf("%v allocations a request", n)
				}
			})
		})
	}
}
