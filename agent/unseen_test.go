// What comes in on a kept socket before the loop has looked again.

package agent_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
)

// An answer that nobody asked for, or the end of the connection, that comes while the
// handler computes between two requests does not become the second one's.
func TestUnseenInput(t *testing.T) {
	for _, w := range ways()[:3] { // a portable socket is watched by a goroutine that reads
		for _, last := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nXX", ""} { // an answer, a FIN
			t.Run(w.name+"/"+last, func(t *testing.T) {
				checkLeaks(t)
				var done, said atomic.Bool
				url := script(t, func(c net.Conn) {
					if readHead(c); !said.Load() {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nr1")
						for !done.Load() {
						}
						if _, _ = io.WriteString(c, last); last == "" {
							_ = c.Close()
						}
						said.Store(true)
						_, _ = io.Copy(io.Discard, c)
						return
					}
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nr2")
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL, req.Method = url, "POST"
					for range 20 {
						done.Store(false)
						said.Store(false)
						if _, body := ask(t, a, ctx, &req, &res); body != "r1" {
							t.Errorf("first %q", body)
							return
						}
						done.Store(true)
						for !said.Load() { // computing: the handler keeps its loop
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
