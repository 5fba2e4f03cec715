// Cancellation: what ends a call when its context does.
//
// A handler's own context ends when its peer hangs up, which the loop hears of: the
// sockets of that handler follow (loop.Stream.Follow), for nothing. A handler without its
// loop, and a goroutine that has its context, hang a hook of the socket's at the connection
// (loop.Seat.Hang), for nothing as well. For any other context a function is registered.
// Hook and function come with the number of the use of the socket. When they come too late
// they find another number and do nothing:
//
//	ticket: use << 2 | state      free ─▶ cutting ─▶ cut
//
// Whoever gives the socket back moves the number on, which fails once it was cut.

package agent

import (
	"context"
	"runtime"

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
	number := c.ticket.Load() &^ ticketState
	switch {
	case seat != nil:
		seat.Hang(&c.hook, c, number)
		return nil
	case ctx.Done() == nil:
		return nil
	}
	return context.AfterFunc(ctx, func() { c.cut(number) })
}

// Ended implements loop.Ender.
func (c *conn) Ended(number uint64) { c.cut(number) }

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
