// What a handler asks to be told of its exchange: the end of the answer, of the
// connection, of patience (seed: 'finish', 'close', 'timeout', 'drain').

package engine

import (
	"math"
	"sync"
	"time"
)

// hooks are the functions of one exchange. Few exchanges have any.
type hooks struct {
	mu              sync.Mutex
	finish          func()
	requestClose    func()
	responseClose   func()
	requestTimeout  func()
	responseTimeout func()
	told            bool  // of the connection's end, and so of nothing else
	timeout         bool  // SetTimeout was called
	inactive        int64 // with that many milliseconds; 0 is for ever
}

// hooks returns the hooks of the exchange under way, made if need be.
func (x *responder) hooks() *hooks {
	at := &x.conn.extra().hooks
	if h := at.Load(); h != nil {
		return h
	}
	at.CompareAndSwap(nil, new(hooks))
	x.odd.Store(true)
	return at.Load()
}

// OnFinish has fn called when the answer has been handed over to the kernel, whole
// (seed: 'finish'); that says nothing of what the client has received. It is called
// once, after the handler has returned, as a part of it: the request and the response
// can still be asked, not changed. A later fn replaces it. It allocates.
func (r *Response) OnFinish(fn func()) {
	r.x.check("OnFinish")
	r.x.hooks().set(func(h *hooks) { h.finish = fn })
}

// OnClose has fn called if the connection ends before the answer has been handed over
// to the kernel (seed: 'close'): when the loop hears that it failed, then on a
// goroutine of its own, at the latest when the handler has returned. Either OnFinish's
// or OnClose's function is called, once; after Hijack neither is, and after runtime.Goexit
// it is OnClose's, on a goroutine of its own. That the client has closed its side only is
// no end: see Request.Context. A later fn replaces it. It allocates.
func (r *Response) OnClose(fn func()) {
	r.x.check("OnClose")
	r.x.onClose(func(h *hooks) { h.responseClose = fn })
}

// OnClose is Response.OnClose, of the same exchange, beside it (seed:
// message 'close').
func (r *Request) OnClose(fn func()) {
	r.x.check("OnClose")
	r.x.onClose(func(h *hooks) { h.requestClose = fn })
}

// onClose sets a function that is told of the connection's failing: at once, if the loop
// has heard of it before.
func (x *responder) onClose(set func(*hooks)) {
	h := x.hooks()
	if h.set(set); x.conn.Broken() {
		h.broken(x.server)
	}
}

// OnDrain has fn called, on a goroutine of its own, each time that all which TryWrite
// has kept is with the kernel (seed: 'drain'), unless another method has sent the
// rest: those wait until it is. Set when TryWrite has just reported false, it is called
// for that in any case, at once if all is with the kernel already. A later fn replaces
// it. It allocates.
func (r *Response) OnDrain(fn func()) {
	r.x.check("OnDrain")
	if fn != nil {
		server, socket, told := r.x.server, r.x.conn.socket(), fn
		fn = func() { server.tellAside("OnDrain", told, socket.cut) }
	}
	r.out.OnDrain(fn)
}

// TryWrite is Write that does not wait: it reports whether all bytes are with the
// kernel (seed: response.write). When it reports false and no error, what the kernel
// did not take was copied and is sent in the background, behind what TryWrite has kept
// before; OnDrain tells when that is over. It keeps a mebibyte of bodies at most: where
// p and what is kept are more together, it takes nothing and returns ErrFull, and so a
// longer p is for Write. With the portable driver it waits as Write does.
// It does not allocate when the kernel takes all.
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

// SetTimeout is Response.SetTimeout; the two have one time, and a function each (seed:
// message.setTimeout).
func (r *Request) SetTimeout(d time.Duration, fn func()) {
	r.x.check("SetTimeout")
	r.x.setTimeout(d, func(h *hooks) { h.requestTimeout = fn })
}

// SetTimeout sets for how long the connection may be inactive until the handler
// returns (seed: response.setTimeout), in place of what Timeouts say: how long a wait
// for more of the body, or for the client to take more of the answer, may be, and how
// long nothing may come or go while the handler does other things. 0 is for ever.
// When the time is up, fn is called, if it is not nil, and Events.Timeout after it; what
// is done about it is up to them, and otherwise they are called again after the same
// time. Where nobody listens the connection is cut. fn is called by
// whoever waits on the connection; when nobody does, on a goroutine of its own, while
// the handler does what it does. It allocates.
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

// forgive asks who listens whether a wait may go on. It is called by who waits, in
// user code.
func (c *conn) forgive(bool) bool {
	patient := false
	for _, l := range c.timeoutListeners() {
		if c.server.tell(l.name, l.told) != returned {
			return false
		}
		patient = true
	}
	return patient
}

// listening is a function that listens, and what the log calls it.
type listening struct {
	name string
	told func()
}

// timeoutListeners returns what is to be called when the connection was inactive
// while a request is being answered.
func (c *conn) timeoutListeners() (all []listening) {
	if h := c.extra().hooks.Load(); h != nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, fn := range [...]func(){h.requestTimeout, h.responseTimeout} {
			if fn != nil {
				all = append(all, listening{"the function of SetTimeout", fn})
			}
		}
	}
	if listen := c.server.On.Timeout; listen != nil {
		s := c.socket()
		all = append(all, listening{"Events.Timeout", func() { listen(s) }})
	}
	return all
}

// Overdue implements loop.Watcher: a request has been under way for as long as the
// connection may be inactive.
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
		return limit // who waits looks at the time
	case quiet < limit:
		return limit - quiet
	}
	listeners := c.timeoutListeners()
	if len(listeners) == 0 {
		c.Cut()
		return 0
	}
	server, socket := c.server, c.socket()
	go func() {
		for _, l := range listeners {
			if socket.state.Load() == own {
				return // it was taken over meanwhile
			}
			server.tellAside(l.name, l.told, socket.cut)
		}
	}()
	return limit
}

// drop forgets the hooks of the exchange under way, and returns them, nil when there are
// none.
func (c *conn) drop() *hooks {
	if e := c.extras.Load(); e != nil {
		return e.hooks.Swap(nil)
	}
	return nil
}

// broken tells who wants to know that the connection has failed. The loop is held.
func (h *hooks) broken(s *Server) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, fn := range [...]*func(){&h.requestClose, &h.responseClose} {
		if *fn != nil {
			go s.tellAside("OnClose", *fn, nil)
			h.told = true
		}
		*fn = nil
	}
	h.finish = nil
}

// over calls what is to be called at the end of an exchange, whose answer may have been
// handed over whole.
func (x *responder) over(whole bool) {
	c, out := x.conn, &x.res.out
	h := c.drop()
	if h == nil {
		return
	}
	whole = whole && out.Err() == nil && out.Flush() == nil
	finish, closes := h.end(whole)
	call := func(name string, fn func()) {
		if fn != nil {
			x.worker.Begin(&c.Stream)
			x.guard.word.Or(asking)
			x.tell(name, fn)
			x.guard.word.And(^uint32(asking))
			x.worker.End()
		}
	}
	call("OnFinish", finish)
	for _, fn := range closes {
		call("OnClose", fn)
	}
}

// end returns what is to be called at the end of an exchange, and leaves nothing: the
// connection's failing may be heard of just now.
func (h *hooks) end(whole bool) (finish func(), closes [2]func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !whole || h.told {
		closes = [...]func(){h.requestClose, h.responseClose}
	} else {
		finish = h.finish
	}
	h.finish, h.requestClose, h.responseClose = nil, nil, nil
	return finish, closes
}
