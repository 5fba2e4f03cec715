// Calling the handler, and the ways in which it may end badly: a panic, or runtime.Goexit, which
// recover does not see and which ends the worker.

package engine

import (
	"runtime/debug"

	"github.com/gale-http/gale/internal/loop"
)

// call calls the handler. It reports whether the handler returned or panicked, the panic having
// been dealt with; otherwise the goroutine is about to end and the connection has been dealt with.
func (x *responder) call() (returned bool) {
	defer func() {
		if !returned {
			returned = x.caught(recover())
		}
	}()
	x.handler(&x.req, &x.res)
	return true
}

// caught deals with a handler that has not returned, given what recover returned, and reports
// whether it panicked.
func (x *responder) caught(value any) bool {
	if value == nil {
		x.exited()
		return false
	}
	x.panicked(value)
	return true
}

// panicked logs a panic with the stack on which it happened and makes the answer a 500 if nothing
// of it has been sent; otherwise the answer is cut. ErrAbort only cuts the answer.
func (x *responder) panicked(value any) {
	if value == ErrAbort {
		x.res.out.Break(ErrAbort)
		return
	}
	x.server.logf("gale: panic in the handler of %s %q: %v\n%s",
		x.req.Method(), x.req.URL(), value, debug.Stack())
	x.fail()
}

// fail makes the answer a 500 that ends the connection, or cuts the answer if some of it has been
// sent.
func (x *responder) fail() {
	out := &x.res.out
	if out.Err() != nil || !out.Recall() {
		out.Break(ErrAbort)
		return
	}
	x.res.reset()
	x.res.status = 500
	_ = out.Headers.Set("Connection", "close")
}

// exited ends the connection of a handler that called runtime.Goexit. Its goroutine is unwinding, so
// nothing here may wait on the loop.
func (x *responder) exited() {
	x.server.logf("gale: the handler of %s %q called runtime.Goexit\n%s",
		x.req.Method(), x.req.URL(), debug.Stack())
	if !x.guard.end() {
		x.evict()
	}
	if x.socket != nil {
		x.endUnwinding()
		return
	}
	x.fail()
	out := &x.res.out
	if h := x.conn.takeHooks(); h != nil {
		h.broken(x.server)
	}
	if out.Err() == nil {
		_ = out.End(nil)
	}
	if !x.worker.End() {
		x.finish(true)
		return
	}
	x.finishAtOnce(true)
}

// finishAtOnce is finish without waiting: it sends what the kernel takes now. The loop is held.
func (x *responder) finishAtOnce(linger bool) {
	c, out := x.conn, &x.res.out
	cut := out.CutShort()
	switch all := c.tryWriteAll(out.Take()); {
	case !all || out.Err() != nil:
		c.SuppressCloseNotify()
	case out.Ended():
		c.SetIncomplete(false)
	}
	out.Break(loop.ErrClosed)
	x.req.in.Discard()
	c.end(linger && !cut)
}

// tryWriteAll writes as much of p as the kernel takes, and reports whether that was all.
func (c *conn) tryWriteAll(p []byte) bool {
	for len(p) > 0 {
		n, err := c.TryWrite(p)
		if n == 0 || err != nil {
			return false
		}
		p = p[n:]
	}
	return true
}
