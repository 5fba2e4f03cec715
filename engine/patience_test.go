// Which timeouts apply after a handler has returned.

package engine_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestPatienceEndsWithTheHandler: SetTimeout holds until the handler returns. After that, the wait
// for the unread rest of a body is bounded by the server's timeouts, and its function is not
// called, on the loop or off it, except perhaps while the handler is returning.
func TestPatienceEndsWithTheHandler(t *testing.T) {
	const often = 3 // the rest of the body is waited for nine times as long as simnet.Patience lasts
	allDrivers(t, func(t *testing.T, d driver) {
		for _, late := range []bool{false, true} {
			var returned, asked atomic.Int32
			s := prepare(t, d, routes(map[string]engine.Handler{"/impatient": func(req *engine.Request, res *engine.Response) {
				defer returned.Add(1)
				req.SetTimeout(soon/3, func() {
					if returned.Load() > 0 && asked.Add(1) == often {
						runtime.Goexit()
					}
				})
				if late {
					req.Block()
				}
				_ = res.EndString("impatient")
			}, "/patient": func(req *engine.Request, res *engine.Response) {
				req.SetTimeout(0, nil)
				if late {
					req.Block()
				}
				_ = res.EndString("patient")
			}}))
			s.Timeouts.Body = 3 * soon
			s.listen()
			for _, path := range []string{"impatient", "patient"} {
				c := s.dial()
				c.send(headOf("/"+path, 8) + "0123")
				c.expect(200, path)
				if rest := c.ended(); rest != "" {
					t.Errorf("%s: got %q", path, rest)
				}
			}
			s.dial().get("/", "hello")
			_ = s.Close()
			if n := asked.Load(); n >= often {
				t.Errorf("asked %d times when the handler had returned (late: %v)", n, late)
			}
		}
	})
}

// TestPatienceWithASlowReader: a write whose time is up, and is forgiven, goes on where it was,
// over TLS too; over that of a listener it has failed for good, and ends.
func TestPatienceWithASlowReader(t *testing.T) {
	const size = 24 << 20
	eachDriver(t, func(t *testing.T, d driver) {
		for _, way := range ways(d) {
			asked, written := make(chan struct{}, 1), make(chan error, 1)
			dial := listenAs(t, d, way, func(*server) {}, func(_ *engine.Request, res *engine.Response) {
				res.SetTimeout(soon/3, func() {
					select {
					case asked <- struct{}{}:
					default:
					}
				})
				_, err := res.Write(make([]byte, size))
				written <- err
			})
			c, _ := dial()
			c.send(request("/"))
			simnet.Receive(t, asked, "the function of SetTimeout")
			if way == ofListener {
				if err := simnet.Receive(t, written, "the end of the writing"); err != engine.ErrTimeout {
					t.Errorf("the write has ended with %v", err)
				}
				continue
			}
			c.expect(200, strings.Repeat("\x00", size))
		}
	})
}
