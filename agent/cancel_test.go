// The end of a handler's context while calls under it end, and others begin on their sockets.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// Clients that hang up while their handlers' calls end do not cut anybody else's call, although
// all calls share a few sockets.
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

// A call under the context of a handler that has ended, kept by a goroutine, ends at once.
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

// A late notification of a context's end cuts no other use of the socket.
func TestLateEnd(t *testing.T) {
	if first, next := agent.EndOfUse(true); !first || !next {
		t.Errorf("too late: the use was left alone: %v, the next: %v", first, next)
	}
	if first, _ := agent.EndOfUse(false); first {
		t.Error("in time: the use was left alone")
	}
}

// counted is a context that counts its registrations. Because it is no type of package context,
// context.AfterFunc calls its AfterFunc method.
type counted struct {
	done       chan struct{}
	mu         sync.Mutex
	registered map[*func()]bool
	ever       int
}

func newCounted() *counted {
	return &counted{done: make(chan struct{}), registered: make(map[*func()]bool)}
}

func (c *counted) Deadline() (t time.Time, ok bool) { return }
func (c *counted) Done() <-chan struct{}            { return c.done }
func (c *counted) Value(any) any                    { return nil }

func (c *counted) Err() error {
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

func (c *counted) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.registered[&f] = true
	c.ever++
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := c.registered[&f]
		delete(c.registered, &f)
		return was
	}
}

// end ends the context, and returns when all registered functions have been called.
func (c *counted) end() {
	close(c.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	for f := range c.registered {
		(*f)()
	}
	clear(c.registered)
}

func (c *counted) now() (registered, ever int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.registered), c.ever
}

// A socket that is used repeatedly under one context is registered with it once, until it is
// used under another one or closed. The context that a call is under ends it, and no other does.
func TestLastingContext(t *testing.T) {
	for _, w := range ways() {
		if w.name == "handler" {
			continue // this is about goroutines
		}
		t.Run(w.name, func(t *testing.T) {
			var held atomic.Bool // the next request is answered only when told to
			asked, answer := make(chan bool), make(chan bool)
			url := script(t, func(c net.Conn) {
				for simnet.ReadHead(c) != "" {
					if held.Swap(false) {
						asked <- true
						<-answer
					}
					_, _ = io.WriteString(c, hello)
				}
			})
			w.call(t, func(context.Context) {
				a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: agent.Retry{Never: true}})
				first, second := newCounted(), newCounted()
				req, res := &agent.Request{URL: url}, new(agent.Response)
				calls := func(n int, ctx *counted) {
					t.Helper()
					for range n {
						if status, _ := ask(t, a, ctx, req, res); status != 200 {
							t.Errorf("status %d", status)
						}
					}
				}
				calls(9, first)
				if now, ever := first.now(); now != 1 || ever > 3 { // one of them for the dialling
					t.Errorf("after nine calls %d registrations of %d", now, ever)
				}
				// end ends ctx in the middle of a call under the second context.
				end := func(ctx *counted) error {
					held.Store(true)
					done := make(chan error, 1)
					go func() {
						var res agent.Response
						err := a.Do(second, req, &res)
						_ = res.Close() // frees the socket, and req
						done <- err
					}()
					simnet.Receive(t, asked, "the request")
					ctx.end()
					if ctx == second { // there will be no response
						defer func() { answer <- true }()
					} else {
						answer <- true
					}
					return simnet.Receive(t, done, "the call")
				}
				if err := end(first); err != nil { // its socket still watches it
					t.Errorf("under another context: %v", err)
				}
				calls(3, second)
				if now, _ := second.now(); now != 1 {
					t.Errorf("%d registrations of the second context", now)
				}
				if err := end(second); !errors.Is(err, context.Canceled) { // the fifth call under this context
					t.Errorf("under the context that has ended: %v", err)
				}
				third := newCounted()
				calls(4, third)
				a.CloseFreeSockets()
				simnet.Eventually(t, "the registration to go", func() bool { now, _ := third.now(); return now == 0 })
			})
		})
	}
}

// A late notification of a lasting context's end cuts no use under the context that came after
// it.
func TestLateEndOfLastingContext(t *testing.T) {
	if !agent.EndOfLasting(newCounted(), newCounted()) {
		t.Error("a call under another context was cut")
	}
}
