// Cancellation: what ends a call when its context does.
//
// A handler's own context ends when its peer hangs up, which the loop hears of: the
// sockets of that handler follow (loop.Stream.Follow), for nothing. A handler without its
// loop, and a goroutine that has its context, hang a hook of the socket's at the connection
// (loop.Seat.Hang), for nothing as well. For any other context a function is registered;
// where a socket is used twice in a row under the same, once for all uses that follow, so
// that they cost nothing either, until the socket is closed or kept for another context.
// Hooks and functions come with the number of the use of the socket. When they come too
// late they find another number and do nothing:
//
//	ticket: use << 2 | state      free ─▶ cutting ─▶ cut
//
// Whoever gives the socket back moves the number on, which fails once it was cut.

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

// watchFor has the socket cut when ctx ends, until unwatch. seat, when it is not nil, is
// whose context that is.
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
		use := new(atomic.Uint64) // its own: who is told late of this context must not meet a use under the next
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

// lasting is a foreign context under which a socket is used again and again. It is the
// user's of the socket, or, when that is closed, whoever's closes it.
type lasting struct {
	before <-chan struct{} // the Done of the last foreign context that was new
	done   <-chan struct{} // the Done of the context; nil: there is none
	stop   func() bool     // ends the watch for it
	use    *atomic.Uint64  // the last use under it
}

// end forgets the context: the socket is not going to be used under it, or not at all.
func (l *lasting) end() {
	if l.stop != nil {
		l.stop()
		l.done, l.stop = nil, nil
	}
}

// cut ends every wait on the socket if it is still in that use.
func (c *conn) cut(number uint64) {
	if !c.ticket.CompareAndSwap(number, number|ticketCutting) {
		return
	}
	c.SetReadDeadline(past)
	c.SetWriteDeadline(past)
	c.ticket.Store(number | ticketCut)
}

// unwatch ends the use of the socket and reports whether it was not cut meanwhile.
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
		runtime.Gosched() // it is being cut, which takes no time
	}
}
