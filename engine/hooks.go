// Hooks: what a handler asks to be told about its exchange: that the response is finished, that the
// connection ended, that it has been inactive, that what was kept has been sent (seed: 'finish',
// 'close', 'timeout', 'drain').

package engine

import (
	"math"
	"sync"
	"time"
)

// hooks are the functions that one exchange has set. Few exchanges set any.
type hooks struct {
	mu              sync.Mutex
	finish          func()
	requestClose    func()
	responseClose   func()
	requestTimeout  func()
	responseTimeout func()
	failureReported bool  // the connection's failure has been reported, so nothing else will be
	timeout         bool  // SetTimeout was called
	inactive        int64 // its argument in milliseconds; 0: no timeout
}

// hooks returns the hooks of the exchange under way, and makes them if need be.
func (x *responder) hooks() *hooks {
	at := &x.conn.extra().hooks
	if h := at.Load(); h != nil {
		return h
	}
	at.CompareAndSwap(nil, new(hooks))
	x.needsCleanup.Store(true)
	return at.Load()
}

// OnFinish registers fn to be called when the whole response has been handed to the kernel (seed:
// 'finish'), which does not mean that the client has received it. fn is called once, after the
// handler has returned and as a part of it: it may still inspect the request and the response, but
// not change them. A later fn replaces it. It allocates.
func (r *Response) OnFinish(fn func()) {
	r.x.check("OnFinish")
	r.x.hooks().set(func(h *hooks) { h.finish = fn })
}

// OnClose registers fn to be called if the connection ends before the whole response has been
// handed to the kernel (seed: 'close'). If the loop notices while the handler runs that the
// connection has failed, fn is called at once on a goroutine of its own; otherwise when the handler
// has returned. Either OnFinish's or OnClose's function is called, once. After Hijack neither is;
// after runtime.Goexit OnClose's is, on a goroutine of its own. A client that has only closed its
// side does not count: see Request.Context. A later fn replaces it. It allocates.
func (r *Response) OnClose(fn func()) {
	r.x.check("OnClose")
	r.x.onClose(func(h *hooks) { h.responseClose = fn })
}

// OnClose registers a function beside that of Response.OnClose, which see (seed: message 'close').
func (r *Request) OnClose(fn func()) {
	r.x.check("OnClose")
	r.x.onClose(func(h *hooks) { h.requestClose = fn })
}

// onClose sets a function that is told of the connection's failure, and calls it at once if the
// loop already knows of one.
func (x *responder) onClose(set func(*hooks)) {
	h := x.hooks()
	if h.set(set); x.conn.Broken() {
		h.broken(x.server)
	}
}

// OnDrain registers fn to be called, on a goroutine of its own, each time all that TryWrite has
// kept has been handed to the kernel (seed: 'drain'), unless another method has sent the rest:
// those wait until it is sent. If it is set after a TryWrite that reported false, before any other
// method that sends, fn is called for that one in any case, at once if the kernel has everything
// already. A later fn replaces it. It allocates.
func (r *Response) OnDrain(fn func()) {
	r.x.check("OnDrain")
	if fn != nil {
		server, socket, user := r.x.server, r.x.conn.socket(), fn
		fn = func() { server.callUserAside("OnDrain", user, socket.cut) }
	}
	r.out.OnDrain(fn)
}

// TryWrite is Write that does not wait. It reports whether all bytes have been handed to the kernel
// (seed: response.write). If it reports false and no error, it has copied what the kernel did not
// take, and sends it in the background, after what earlier calls have left; OnDrain tells when all
// of it is sent. It keeps at most 1 MiB: if p and what is kept exceed that together, it takes
// nothing and returns ErrFull, so a longer p is for Write. With the portable driver it waits as
// Write does. It does not allocate when the kernel takes everything.
func (r *Response) TryWrite(p []byte) (sent bool, err error) {
	r.x.check("TryWrite")
	if !r.x.mine() {
		err = r.x.doElsewhere(func() (err error) {
			sent, err = r.out.TryWrite(p)
			return err
		})
		return sent, err
	}
	return r.out.TryWrite(p)
}

// SetTimeout is Response.SetTimeout. The two share one duration, and have a function each (seed:
// message.setTimeout).
func (r *Request) SetTimeout(d time.Duration, fn func()) {
	r.x.check("SetTimeout")
	r.x.setTimeout(d, func(h *hooks) { h.requestTimeout = fn })
}

// SetTimeout sets how long the connection may be inactive until the handler returns (seed:
// response.setTimeout), instead of Timeouts: the longest wait for more of the body, or for the
// client to take more of the response, and the longest time in which nothing is sent or received
// while the handler does other things (see Timeouts.Inactive). 0 is no timeout. When the time is
// up, fn is called unless it is nil, and then Events.Timeout; they may close the connection, and
// are called again after the same time otherwise. If neither is set, the connection is cut. fn is
// called by the goroutine that waits on the connection; if none does, on a goroutine of its own,
// while the handler goes on. It allocates.
func (r *Response) SetTimeout(d time.Duration, fn func()) {
	r.x.check("SetTimeout")
	r.x.setTimeout(d, func(h *hooks) { h.responseTimeout = fn })
}

func (h *hooks) set(do func(*hooks)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do(h)
}

func (x *responder) setTimeout(d time.Duration, listen func(*hooks)) {
	ms, c := int64(0), x.conn
	if d > 0 {
		ms = max(1, d.Milliseconds())
	}
	x.hooks().set(func(h *hooks) {
		h.inactive, h.timeout = ms, true
		listen(h)
	})
	c.ReadTimeout, c.WriteTimeout = int32(min(ms, math.MaxInt32)), int32(min(ms, math.MaxInt32))
	c.Forgive(c.forgive)
	c.Watch(ms)
}

// forgive calls the timeout functions and reports whether the wait may go on. It is called by the
// goroutine that waits, in user code.
func (c *conn) forgive(bool) bool {
	patient := false
	for _, l := range c.timeoutFuncs() {
		if c.server.callUser(l.name, l.fn) != returned {
			return false
		}
		patient = true
	}
	return patient
}

// timeoutFunc is a function to call on a timeout, and what the log calls it.
type timeoutFunc struct {
	name string
	fn   func()
}

// timeoutFuncs returns the functions to call when the connection has been inactive while a
// request was being answered.
func (c *conn) timeoutFuncs() (all []timeoutFunc) {
	if h := c.extra().hooks.Load(); h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, fn := range [...]func(){h.requestTimeout, h.responseTimeout} {
			if fn != nil {
				all = append(all, timeoutFunc{"the function of SetTimeout", fn})
			}
		}
	}
	if listen := c.server.On.Timeout; listen != nil {
		s := c.socket()
		all = append(all, timeoutFunc{"Events.Timeout", func() { listen(s) }})
	}
	return all
}

// Overdue implements loop.Watcher: a request has been under way for as long as the connection may
// be inactive.
func (c *conn) Overdue() (again int64) {
	limit := c.server.run.timeouts.inactive
	if e := c.extras.Load(); e != nil {
		if h := e.hooks.Load(); h != nil {
			h.mu.Lock()
			if h.timeout {
				limit = h.inactive
			}
			h.mu.Unlock()
		}
	}
	quiet, known := c.Quiet()
	switch {
	case limit == 0 || !known:
		return 0
	case c.Waiting():
		return limit // whoever waits checks the time itself
	case quiet < limit:
		return limit - quiet
	}
	listeners := c.timeoutFuncs()
	if len(listeners) == 0 {
		c.Cut()
		return 0
	}
	server, socket := c.server, c.socket()
	go func() {
		for _, l := range listeners {
			if socket.state.Load() == taken {
				return // taken over meanwhile
			}
			server.callUserAside(l.name, l.fn, socket.cut)
		}
	}()
	return limit
}

// takeHooks removes the hooks of the exchange under way and returns them, nil when there are none.
func (c *conn) takeHooks() *hooks {
	if e := c.extras.Load(); e != nil {
		return e.hooks.Swap(nil)
	}
	return nil
}

// broken calls the OnClose functions, because the connection has failed. It does not wait for them.
func (h *hooks) broken(s *Server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, fn := range [...]*func(){&h.requestClose, &h.responseClose} {
		if *fn != nil {
			go s.callUserAside("OnClose", *fn, nil)
			h.failureReported = true
		}
		*fn = nil
	}
	h.finish = nil
}

// runHooks calls the hooks at the end of an exchange. whole tells that its response may have been
// handed to the kernel whole.
func (x *responder) runHooks(whole bool) {
	c, out := x.conn, &x.res.out
	h := c.takeHooks()
	if h == nil {
		return
	}
	whole = whole && out.Err() == nil && out.Flush() == nil
	finish, closes := h.end(whole)
	call := func(name string, fn func()) {
		if fn != nil {
			x.worker.BeginAside(&c.Stream)
			x.guard.word.Or(inHook)
			x.callUser(name, fn)
			x.guard.word.And(^uint32(inHook))
			x.worker.End()
		}
	}
	call("OnFinish", finish)
	for _, fn := range closes {
		call("OnClose", fn)
	}
}

// end returns the functions to call at the end of an exchange and clears them all, under the lock:
// the loop may be reporting a failure of the connection at the same time.
func (h *hooks) end(whole bool) (finish func(), closes [2]func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !whole || h.failureReported {
		closes = [...]func(){h.requestClose, h.responseClose}
	} else {
		finish = h.finish
	}
	h.finish, h.requestClose, h.responseClose = nil, nil, nil
	return finish, closes
}
