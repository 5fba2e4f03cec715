// Mistakes of the caller's own.

package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
)

// A body that is not as long as was said fails at once, also where a server would wait
// for the rest or answer without it, and is not sent again.
func TestWrongLengths(t *testing.T) {
	cases := []struct {
		name, length, body string
		declared           int64
		want               error
	}{
		{"short", "", "abc", 10, agent.ErrTooShort},
		{"nothing", "10", "", 0, agent.ErrTooShort},
		{"long", "2", "abc", 0, agent.ErrTooLong},
		{"no number", "x", "abc", 0, agent.ErrBadLength},
	}
	for _, w := range ways() {
		for _, c := range cases {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				var sockets atomic.Int64
				url := script(t, func(conn net.Conn) {
					sockets.Add(1)
					for strings.HasPrefix(readHead(conn), "GET ") {
						_, _ = io.WriteString(conn, hello)
					}
					_, _ = io.Copy(io.Discard, conn)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: agent.Retry{Always: true}})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = url
					ask(t, a, ctx, &req, &res) // so that there is a kept socket
					req.Method = "PUT"
					if c.length != "" {
						_ = req.SetHeader("Content-Length", c.length)
					}
					if c.body != "" {
						req.Source = agent.Source{Reader: strings.NewReader(c.body), Length: c.declared,
							Again: func() (io.Reader, error) { return strings.NewReader(c.body), nil }}
					}
					var e *agent.Error
					if err := a.Do(ctx, &req, &res); !errors.Is(err, c.want) || !errors.As(err, &e) || e.Op != "send" {
						t.Errorf("%v", err)
					}
					req.Source = agent.Source{}
					if c.declared > 0 {
						_ = req.SetHeader("Content-Length", "10")
					}
					cr := a.NewRequest(ctx, &req)
					_, first := io.WriteString(cr, c.body)
					if _, err := cr.Response(); !errors.Is(first, c.want) && !errors.Is(err, c.want) {
						t.Errorf("ClientRequest: %v, %v", first, err)
					}
					_ = cr.Close()
				})
				if n := sockets.Load(); n > 1+w.sockets() {
					t.Errorf("%d sockets", n)
				}
				eventually(t, "the sockets to be closed", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
			})
		}
	}
}
