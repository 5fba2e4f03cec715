// Cancellation: what ends a call when its context does.
//
// A handler's own context ends when its peer hangs up, which the loop hears of: the
// sockets of that handler follow (loop.Stream.Follow), for nothing. For any other
// context a function is registered, with the number of the use of the socket. When it
// comes too late it finds another number and does nothing:
//
//	ticket: use << 2 | state      free ─▶ cutting ─▶ cut
//
// Whoever gives the socket back moves the number on, which fails once it was cut.

package agent

import (
	"context"
	"runtime"
)

const (
	ticketCutting = 1
	ticketCut     = 2
	ticketState   = 3
	ticketStep    = 4
)

// watchFor has the socket cut when ctx ends, until unwatch.
func (c *conn) watchFor(ctx context.Context) (stop func() bool) {
	if ctx.Done() == nil {
		return nil
	}
	number := c.ticket.Load() &^ ticketState
	return context.AfterFunc(ctx, func() { c.cut(number) })
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
