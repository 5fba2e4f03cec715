// The context of requests: one for each connection.

package engine

import (
	"context"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// connContext is the context of all requests of one connection (see
// Request.Context).
type connContext struct {
	context.Context
	cancel context.CancelFunc
	done   <-chan struct{} // of Context
	seat   loop.Seat
	conn   *conn
	// asker is the goroutine of the handler that has asked for it, until that returns;
	// nobody else may look at conn.
	asker atomic.Uintptr
	user  atomic.Pointer[responder] // whose handler has asked for it, until that returns
}

// lend keeps the responder from being used for another request: somebody may come late.
// Whoever has the context from an earlier request of the connection lends nothing:
// that one's responder may be another client's by now.
func (ctx *connContext) lend() {
	if x := ctx.user.Load(); x != nil {
		x.lend()
	}
}

func (x *responder) lend() { x.guard.word.Or(strange) }

// forget ends what the handler of x, which has returned, had of it.
func (ctx *connContext) forget(x *responder) {
	ctx.asker.Store(0)
	ctx.user.CompareAndSwap(x, nil)
}

// forget ends what the handler, which has returned, had of the context, if it has asked for it.
func (x *responder) forget() {
	if x.asked != nil {
		x.forgetAsked()
	}
}

func (x *responder) forgetAsked() {
	x.asked.forget(x)
	x.asked = nil
}

// Context returns the context of the request's connection. It ends when the peer
// hangs up, as soon as the loop hears of it (while the handler waits, or has lost
// the loop) or Err is asked, when the connection closes, and when the server does.
// There is one for all requests of a connection; it is never reused for another, so it
// may be kept. A client that has closed its side only may still be waiting for the
// answer: writing tells. With the portable driver a hang-up is heard once the body has
// been read to its end and Context been called. The first call on a connection
// allocates, and with the portable driver any.
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
		x.odd.Store(true) // for oddities to have it forgotten
	}
	return ctx
}

// ended is the context of a request whose handler has returned.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// Value implements context.Context: it leads agents to the loop.
func (ctx *connContext) Value(key any) any {
	if loop.IsSeat(key) {
		return &ctx.seat
	}
	return ctx.Context.Value(key)
}

// Done implements context.Context.
func (ctx *connContext) Done() <-chan struct{} { return ctx.done }

// Err implements context.Context. While a handler holds its loop, nobody else would
// look.
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
			ctx.cancel() // the request came together with the end, and nothing more happens
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

// keepVigil has the portable driver hear of a hang-up while nobody reads.
func (x *responder) keepVigil() {
	x.watching.Lock()
	defer x.watching.Unlock()
	if x.vigil != nil || x.res.hasBody && x.req.in.Left() != 0 || x.socket != nil {
		return
	}
	x.vigil = x.conn.KeepVigil()
	x.odd.Store(true)
}

// endVigil ends it, before anybody reads again.
func (x *responder) endVigil() {
	x.watching.Lock()
	defer x.watching.Unlock()
	if x.vigil != nil {
		x.req.in.Put(x.vigil.End())
		x.vigil = nil
	}
}
