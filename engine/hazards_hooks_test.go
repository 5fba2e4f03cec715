// The hazards of handlers, in the functions that a handler leaves to be called: each does
// what it should not, as the events do (hazards_events_test.go).

package engine_test

import (
	"io"
	"log"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
)

// hook is a function that a handler may leave.
type hook struct {
	name string
	// leave does so, and then what it is called for, as a handler.
	leave func(req *engine.Request, res *engine.Response, fn func())
	// provoke is what its client does.
	provoke func(c *client, running <-chan struct{})
	looped  bool // the portable driver does not call it
}

var hooks = []hook{
	{"OnFinish", func(_ *engine.Request, res *engine.Response, fn func()) {
		res.OnFinish(fn)
		_ = res.EndString("finish")
	}, func(c *client, _ <-chan struct{}) { c.send(request("/hook")) }, false},
	{"Response.OnClose", func(req *engine.Request, res *engine.Response, fn func()) {
		res.OnClose(fn)
		<-req.Context().Done()
	}, reset, false},
	{"Request.OnClose", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.OnClose(fn)
		<-req.Context().Done()
	}, reset, false},
	{"OnClose of an answer that is cut", func(_ *engine.Request, res *engine.Response, fn func()) {
		res.OnClose(fn)
		panic(engine.ErrAbort)
	}, func(c *client, _ <-chan struct{}) { c.send(request("/hook")) }, false},
	{"OnDrain", func(req *engine.Request, res *engine.Response, fn func()) {
		res.OnDrain(fn)
		for block := make([]byte, 64<<10); ; {
			if sent, err := res.TryWrite(block); !sent || err != nil {
				break
			}
		}
		<-req.Context().Done()
	}, func(c *client, _ <-chan struct{}) {
		c.send(request("/hook"))
		go func() { _, _ = io.Copy(io.Discard, c) }()
	}, true},
	{"SetTimeout, waiting", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.SetTimeout(soon/3, fn)
		_, _ = io.Copy(io.Discard, req)
	}, stall, false},
	{"SetTimeout, waiting elsewhere", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.SetTimeout(soon/3, fn)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(io.Discard, req)
		}()
		<-done
	}, stall, false},
	{"SetTimeout, doing something else", func(req *engine.Request, res *engine.Response, fn func()) {
		res.SetTimeout(soon/3, fn)
		<-req.Context().Done()
	}, stall, true},
}

// reset has the client go when its handler runs.
func reset(c *client, running <-chan struct{}) {
	c.send(request("/hook"))
	wait(c.t, running, "the handler")
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// stall has the client send no more than a part.
func stall(c *client, _ <-chan struct{}) { c.send(headOf("/hook", 10) + "01234") }

// eachHook is eachEvent for what handlers leave.
func eachHook(t *testing.T, d driver, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	for _, h := range hooks {
		if h.looped && d.portable {
			continue
		}
		t.Run(strings.ReplaceAll(h.name, " ", "-"), func(t *testing.T) {
			var armed atomic.Pointer[func()]
			running := make(chan struct{}, 100)
			s := prepare(t, d, routes(map[string]engine.Handler{"/hook": func(req *engine.Request, res *engine.Response) {
				running <- struct{}{}
				h.leave(req, res, func() {
					if do := armed.Swap(nil); do != nil {
						(*do)()
					}
				})
			}}))
			s.ErrorLog = log.New(io.Discard, "", 0)
			s.listen()
			test(t, s, &armed, func() { h.provoke(s.dial(), running) })
		})
	}
}

func TestHooksMayFail(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachHook(t, d, mayFail) })
}

// TestHooksMayNeverReturn: Shutdown ends by its deadline.
func TestHooksMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachHook(t, d, mayNeverReturn) })
}
