// The end of a handler's context while calls under it end, and others begin on their
// sockets.

package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// Clients that hang up while their handlers' calls end cut nobody else's call, although all
// use the same few sockets.
func TestHangUpMeetsTheNextCall(t *testing.T) {
	checkLeaks(t)
	for _, dispatch := range []engine.Dispatch{engine.Goroutine, engine.Auto} {
		t.Run(fmt.Sprint(dispatch), func(t *testing.T) {
			const clients, rounds, calls = 8, 150, 6
			a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: agent.Retry{Never: true}})
			url := "http://" + simnet.Canned(t, hello) + "/"
			var whole, cut atomic.Int64
			s := &engine.Server{Loops: 2, Dispatch: dispatch}
			s.Handler = func(req *engine.Request, res *engine.Response) {
				ctx := req.Context()
				out := agent.Request{URL: url}
				var in agent.Response
				defer in.Close()
				for range calls {
					err := a.Do(ctx, &out, &in)
					if err == nil {
						_, err = io.Copy(io.Discard, &in)
					}
					switch {
					case err == nil:
						whole.Add(1)
					case ctx.Err() != nil:
						cut.Add(1)
						return
					default:
						t.Errorf("the client is there, and its call has failed: %v", err)
						return
					}
					_, _ = res.WriteString("x")
				}
			}
			if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var all sync.WaitGroup
			for client := range clients {
				all.Go(func() {
					for round := range rounds {
						c, err := net.Dial("tcp", s.Addr().String())
						if err != nil {
							t.Error(err)
							return
						}
						_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
						var got [64]byte
						for n := (client + round) % (calls + 2); n > 0; n-- { // some hang up, some take all
							if n == calls+1 {
								_, _ = io.Copy(io.Discard, c)
								break
							}
							if _, err := c.Read(got[:]); err != nil {
								break
							}
						}
						_ = c.Close()
					}
				})
			}
			all.Wait()
			if whole.Load() == 0 || cut.Load() == 0 {
				t.Errorf("%d calls were whole, %d cut: nothing was tried", whole.Load(), cut.Load())
			}
			t.Logf("%d calls were whole, %d cut", whole.Load(), cut.Load())
		})
	}
}

// A call under the context of a handler that is gone, kept by its goroutine, ends at once.
func TestContextOfAHandlerThatIsGone(t *testing.T) {
	for _, w := range ways()[1:4] {
		t.Run(w.name, func(t *testing.T) {
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			url := "http://" + simnet.Canned(t, hello) + "/"
			var kept context.Context
			w.call(t, func(ctx context.Context) {
				kept = ctx
				ask(t, a, ctx, &agent.Request{URL: url}, new(agent.Response))
			})
			<-kept.Done()
			var req agent.Request
			req.URL = url
			if err := a.Do(kept, &req, new(agent.Response)); err == nil {
				t.Error("a call under a context that has ended was made")
			}
		})
	}
}

// The end of a context that is told of late cuts no other use of the socket.
func TestLateEnd(t *testing.T) {
	if first, next := agent.EndOfUse(true); !first || !next {
		t.Errorf("too late: the use was left alone: %v, the next: %v", first, next)
	}
	if first, _ := agent.EndOfUse(false); first {
		t.Error("in time: the use was left alone")
	}
}
