// Responses delimited by the end of the connection, cut by this side: they must not look
// complete.

package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

func TestCutAnswersAreNotWhole(t *testing.T) {
	cuts := []struct {
		name string
		cut  func(a *agent.Agent, res *agent.Response, cancel func())
		want error
	}{
		{"destroy", func(a *agent.Agent, _ *agent.Response, _ func()) { go a.Destroy() }, agent.ErrDestroyed},
		{"cancel", func(_ *agent.Agent, _ *agent.Response, cancel func()) { go cancel() }, context.Canceled},
		{"close", func(_ *agent.Agent, res *agent.Response, _ func()) { _ = res.Close() }, agent.ErrAborted},
	}
	for _, w := range ways() {
		for _, framing := range []string{"", "Content-Length: 10\r\n", "Transfer-Encoding: chunked\r\n"} {
			for _, cut := range cuts {
				t.Run(w.name+"/"+framing+cut.name, func(t *testing.T) {
					checkLeaks(t)
					body := "part"
					if framing != "" && framing[0] == 'T' {
						body = "4\r\npart\r\n"
					}
					url := script(t, func(c net.Conn) {
						simnet.ReadHead(c)
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+framing+"\r\n"+body)
						_, _ = io.Copy(io.Discard, c)
					})
					a := newAgent(t, &agent.Agent{KeepAlive: true, Loops: 1})
					w.call(t, func(ctx context.Context) {
						ctx, cancel := context.WithCancel(ctx)
						defer cancel()
						var res agent.Response
						if err := a.Do(ctx, &agent.Request{URL: url}, &res); err != nil {
							t.Fatal(err)
						}
						var b [4]byte
						if _, err := io.ReadFull(&res, b[:]); err != nil || string(b[:]) != "part" {
							t.Errorf("%q, %v", b, err)
						}
						cut.cut(a, &res, cancel)
						if rest, err := io.ReadAll(&res); !errors.Is(err, cut.want) || len(rest) > 0 {
							t.Errorf("%q, %v, want %v", rest, err, cut.want)
						}
						if rest, err := io.ReadAll(&res); err == nil {
							t.Errorf("%q at the second try", rest)
						}
						_ = res.Close()
					})
				})
			}
		}
	}
}
