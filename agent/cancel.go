// Cancellation: how the end of a context ends a call.
//
// A handler's own context ends when its peer hangs up, which the loop notices: the sockets
// of that handler follow the peer's (loop.Stream.Follow), at no cost. For a handler that
// has lost its loop, and for any other goroutine with the handler's context, the socket
// registers a hook with the handler's connection (loop.Seat.Hang), at no cost either. For
// any other context a function is registered. If a socket is used twice in a row under the
// same context, it is registered once for all following uses, which then cost nothing,
// until the socket is closed or used under another context for the second time in a row.
// Hooks and functions carry the number of the use that they belong to. One that comes too
// late finds another number and does nothing:
//
//	ticket: use << 2 | state      free ─▶ cutting ─▶ cut
//
// Whoever gives the socket back advances the number, which fails after a cut.

package agent

import (
	"context"
	"runtime"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

const (
	ticketCutting = 1
	ticketCut     = 2
	ticketState   = 3
	ticketStep    = 4
)

// watchFor makes the end of ctx cut the socket, until unwatch. If seat is not nil, ctx is
// that seat's own context.
func (c *conn) watchFor(ctx context.Context, seat *loop.Seat) (stop func() bool) {
	number, done, l := c.ticket.Load()&^ticketState, ctx.Done(), &c.lasting
	switch {
	case seat != nil:
		seat.Hang(&c.hook, c, number)
	case done == nil:
	case done == l.done:
		l.use.Store(number)
	case done == l.before:
		l.end()
		use := new(atomic.Uint64) // not reused: a late call for this context must not see a use under the next one
		use.Store(number)
		l.done, l.use, l.stop = done, use, context.AfterFunc(ctx, func() { c.cut(use.Load()) })
	default:
		l.before = done
		return context.AfterFunc(ctx, func() { c.cut(number) })
	}
	return nil
}

// Ended implements loop.Ender.
func (c *conn) Ended(number uint64) { c.cut(number) }

// lasting is a foreign context under which a socket is used again and again. It belongs to
// the user of the socket, or to whoever closes it.
type lasting struct {
	before <-chan struct{} // Done of the last foreign context that was new
	done   <-chan struct{} // Done of the lasting context; nil: there is none
	stop   func() bool     // ends the watch on it
	use    *atomic.Uint64  // the last use under it
}

// end forgets the lasting context: the socket will not be used under it again, or not at all.
func (l *lasting) end() {
	if l.stop != nil {
		l.stop()
		l.done, l.stop = nil, nil
	}
}

// cut ends every wait on the socket if it is still in the use with that number.
func (c *conn) cut(number uint64) {
	if !c.ticket.CompareAndSwap(number, number|ticketCutting) {
		return
	}
	defer c.ticket.Store(number | ticketCut)
	c.interrupt(true)
}

// unwatch ends the use of the socket and reports whether it was not cut in the meantime.
func (c *conn) unwatch(stop func() bool) bool {
	c.hook.Unhang()
	if stop != nil {
		stop()
	}
	for {
		t := c.ticket.Load()
		switch {
		case t&ticketState == 0 && c.ticket.CompareAndSwap(t, t+ticketStep):
			return true
		case t&ticketState == ticketCut:
			return false
		}
		runtime.Gosched() // it is being cut, which takes a moment
	}
}
