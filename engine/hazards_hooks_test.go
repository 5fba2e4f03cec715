// What handlers may do, and the functions that they register or cause to be called: each does what
// it should not, as the events do (hazards_events_test.go).

package engine_test

import (
	"context"
	"io"
	"log"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// hook is a function that a handler may leave.
type hook struct {
	name string
	// leave does so, and then what it is called for, as a handler.
	leave func(req *engine.Request, res *engine.Response, fn func())
	// provoke is what its client does.
	provoke func(c *client, running <-chan struct{})
	looped  bool // the portable driver does not call it
	aside   bool // package context calls it: its panic cannot be caught
}

var hooks = []hook{
	{"Handler", func(_ *engine.Request, res *engine.Response, fn func()) {
		fn()
		_ = res.EndString("handled")
	}, askHook, false, false},
	{"a reader of ReadFrom", func(_ *engine.Request, res *engine.Response, fn func()) {
		_, _ = res.ReadFrom(callReader(fn))
	}, askHook, false, false},
	{"a writer of WriteTo", func(req *engine.Request, _ *engine.Response, fn func()) {
		_, _ = req.WriteTo(callWriter(fn))
	}, func(c *client, _ <-chan struct{}) { c.send(post("/hook", "body")) }, false, false},
	{"a writer of a large WriteTo", func(req *engine.Request, _ *engine.Response, fn func()) {
		_, _ = req.WriteTo(callWriter(fn))
	}, func(c *client, _ <-chan struct{}) {
		go func() { _, _ = io.WriteString(c, post("/hook", strings.Repeat("0123456789", 100<<10))) }()
	}, false, false},
	{"a loop over fields", func(req *engine.Request, _ *engine.Response, fn func()) {
		for range req.Headers() {
			fn()
		}
	}, askHook, false, false},
	{"AfterFunc", func(req *engine.Request, _ *engine.Response, fn func()) {
		context.AfterFunc(req.Context(), fn)
		<-req.Context().Done()
	}, reset, false, true},
	{"OnFinish", func(_ *engine.Request, res *engine.Response, fn func()) {
		res.OnFinish(fn)
		_ = res.EndString("finish")
	}, askHook, false, false},
	{"Response.OnClose", func(req *engine.Request, res *engine.Response, fn func()) {
		res.OnClose(fn)
		<-req.Context().Done()
	}, reset, false, false},
	{"Request.OnClose", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.OnClose(fn)
		<-req.Context().Done()
	}, reset, false, false},
	{"OnClose of an answer that is cut", func(_ *engine.Request, res *engine.Response, fn func()) {
		res.OnClose(fn)
		panic(engine.ErrAbort)
	}, askHook, false, false},
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
	}, true, false},
	{"SetTimeout, waiting", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.SetTimeout(soon/3, fn)
		_, _ = io.Copy(io.Discard, req)
	}, stall, false, false},
	{"SetTimeout, waiting elsewhere", func(req *engine.Request, _ *engine.Response, fn func()) {
		req.SetTimeout(soon/3, fn)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(io.Discard, req)
		}()
		<-done
	}, stall, false, false},
	{"SetTimeout, doing something else", func(req *engine.Request, res *engine.Response, fn func()) {
		res.SetTimeout(soon/3, fn)
		<-req.Context().Done()
	}, stall, true, false},
}

// callReader is a reader that calls a function and has nothing; callWriter a writer that calls one
// each time.
type (
	callReader func()
	callWriter func()
)

func (fn callReader) Read([]byte) (int, error) {
	fn()
	return 0, io.EOF
}

func (fn callWriter) Write(p []byte) (int, error) {
	fn()
	return len(p), nil
}

// askHook has the client ask, and nothing else.
func askHook(c *client, _ <-chan struct{}) { c.send(request("/hook")) }

// reset makes the client go while its handler runs.
func reset(c *client, running <-chan struct{}) {
	c.send(request("/hook"))
	simnet.Receive(c.t, running, "the handler")
	_ = c.Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// stall has the client send no more than a part.
func stall(c *client, _ <-chan struct{}) { c.send(headOf("/hook", 10) + "01234") }

// eachHook is eachEvent for what handlers leave.
func eachHook(t *testing.T, d driver, aside bool, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	for _, h := range hooks {
		if h.looped && d.portable || h.aside && !aside {
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
	simnet.KeepProcs(t)
	allDrivers(t, func(t *testing.T, d driver) { eachHook(t, d, false, mayFail) })
}

// TestHooksMayNeverReturn: Shutdown ends by its deadline.
func TestHooksMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachHook(t, d, true, mayNeverReturn) })
}
