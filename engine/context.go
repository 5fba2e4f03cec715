// The context of requests: one per connection.

package engine

import (
	"context"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// connContext is the context of all requests of one connection (see Request.Context).
type connContext struct {
	context.Context
	cancel context.CancelFunc
	done   <-chan struct{} // Context.Done()
	seat   loop.Seat
	conn   *conn
	// asker is the g of the handler that asked for the context, until that handler returns; no
	// other goroutine may use conn.
	asker atomic.Uintptr
	user  atomic.Pointer[responder] // the responder of the handler that asked for it, until that returns
}

// lend keeps the responder from being reused for another request, because a goroutine may use it
// late. For a context that was kept from an earlier request of the connection it does nothing: that
// request's responder may be another client's by now.
func (ctx *connContext) lend() {
	if x := ctx.user.Load(); x != nil {
		x.lend()
	}
}

func (x *responder) lend() { x.guard.word.Or(foreign) }

// forget clears what refers to the handler of x, which has returned.
func (ctx *connContext) forget(x *responder) {
	ctx.asker.Store(0)
	ctx.user.CompareAndSwap(x, nil)
}

// forget clears what refers to the handler, which has returned, in the context, if it asked for
// that.
func (x *responder) forget() {
	if x.asked != nil {
		x.forgetAsked()
	}
}

func (x *responder) forgetAsked() {
	x.asked.forget(x)
	x.asked = nil
}

// Context returns the context of the request's connection. It ends when the connection closes, when
// the server does, and when the peer hangs up: as soon as the loop notices that, which it can while
// the handler waits or has lost the loop, or when Err is called. All requests of a connection share
// one context; it is never reused for another connection, so it may be kept. A client that has only
// closed its side may still be waiting for the answer: only writing tells. With the portable driver
// a hang-up is noticed only after Context has been called with the body read to its end. The first
// call on a connection allocates; with the portable driver, every call.
func (r *Request) Context() context.Context {
	x := r.x
	x.check("Context")
	if x.guard.word.Load()&over != 0 {
		return ended
	}
	if x.conn.Portable() {
		x.keepVigil()
	}
	ctx := x.conn.requestContext()
	ctx.seat.Set(x.worker)
	if ctx.user.Load() != x {
		ctx.user.Store(x)
	}
	if x.worker.Mine() {
		ctx.asker.Store(sys.G())
		x.asked = ctx
	} else {
		x.needsCleanup.Store(true) // so that cleanUp clears ctx.user
	}
	return ctx
}

// ended is returned by Context once the handler has returned.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Value implements context.Context. It answers loop's seat key, so that agents find the loop.
func (ctx *connContext) Value(key any) any {
	if loop.IsSeat(key) {
		return &ctx.seat
	}
	return ctx.Context.Value(key)
}

// Done implements context.Context.
func (ctx *connContext) Done() <-chan struct{} { return ctx.done }

// Err implements context.Context. While a handler holds its loop, the loop cannot notice a hang-up,
// so Err asks the kernel.
func (ctx *connContext) Err() error {
	err := ctx.Context.Err()
	if err == nil && ctx.asker.Load() == sys.G() && ctx.conn.LookHungUp() {
		ctx.cancel()
		err = ctx.Context.Err()
	}
	return err
}

func (c *conn) requestContext() *connContext {
	e := c.extra()
	if ctx := e.context.Load(); ctx != nil {
		if c.HungUp() {
			ctx.cancel() // the request and the hang-up came together; no further event follows
		}
		return ctx
	}
	ctx := &connContext{conn: c}
	ctx.Context, ctx.cancel = context.WithCancel(c.server.run.context)
	ctx.done = ctx.Context.Done()
	ctx.seat.Init(&c.Stream, ctx, ctx.lend)
	if !e.context.CompareAndSwap(nil, ctx) {
		ctx.cancel()
		return c.requestContext()
	}
	if c.HungUp() {
		ctx.cancel()
	}
	return ctx
}

// keepVigil makes the portable driver notice a hang-up while nobody reads.
func (x *responder) keepVigil() {
	x.watching.Lock()
	defer x.watching.Unlock()
	if x.vigil != nil || x.res.hasBody && x.req.in.Left() != 0 || x.socket != nil {
		return
	}
	x.vigil = x.conn.WatchPeer()
	x.needsCleanup.Store(true)
}

// endVigil ends the vigil, before anybody reads again.
func (x *responder) endVigil() {
	x.watching.Lock()
	defer x.watching.Unlock()
	if x.vigil != nil {
		x.req.in.Put(x.vigil.End())
		x.vigil = nil
	}
}
