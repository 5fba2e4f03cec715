// A request on a kept socket allocates nothing.
// (galedebug and the race detector add allocations of their own.)

//go:build !race && !galedebug

package agent_test

import (
	"context"
	"io"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

func TestAllocations(t *testing.T) {
	url := "http://" + simnet.Canned(t, hello) + "/"
	endless := way{"under a context that cannot end", func(_ *testing.T, fn func(context.Context)) { fn(context.Background()) }}
	for _, w := range append(ways()[:4], endless) {
		t.Run(w.name, func(t *testing.T) {
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
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
