// The portable driver: one goroutine serves a connection from beginning to end and blocks in its
// reads. What a loop does with connections at rest is done here before a read, or by another
// goroutine while a read waits.

package engine

import (
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

// lastTicks is how many milliseconds an idle connection of the portable driver gets at shutdown to
// deliver what has already arrived: a read whose deadline has passed would not look.
const lastTicks = 5

// What a connection of the portable driver is waiting for.
const (
	waitsNot   = iota // nothing: a request has begun, or is being answered
	waitsFirst        // its first request
	waitsLast         // a request, until Shutdown's deadline
	waitsNext         // another request
)

// setWaits sets what the connection waits for from now on, and clears Shutdown's deadline.
func (c *conn) setWaits(what uint32) {
	if c.swapWaits(what) {
		c.SetReadDeadline(time.Time{})
	}
}

// swapWaits is setWaits, except that it leaves Shutdown's deadline in place. It reports whether one
// was set.
func (c *conn) swapWaits(what uint32) bool {
	if c.waits.Swap(what) != waitsLast {
		return false
	}
	mu := &c.server.run.mu
	mu.Lock() // retirePortable holds it from setting waitsLast until setting counts its goroutine
	setting, open := c.server.run.conns[c]
	mu.Unlock()
	if open {
		setting.Wait()
	}
	return true
}

// serveNetConn serves one connection of the portable driver to its end.
func (s *Server) serveNetConn(w *loop.Worker, nc net.Conn) {
	c := new(conn)
	c.init(s)
	ended := false
	defer func() {
		if !ended {
			c.serveFailed(recover())
		}
	}()
	c.OpenConn(w, nc, c)
	s.run.mu.Lock()
	s.run.conns[c] = new(sync.WaitGroup)
	s.run.mu.Unlock()
	if c.opened(w.Unix()) {
		for c.serveAgain = true; c.serveAgain; {
			c.serveAgain = false
			c.Serve(w, 0)
		}
	}
	ended = true
}

// serveFailed ends a connection whose net.Conn panicked or called runtime.Goexit; value is what recover
// returned. Nothing else has reported that, unless it was a handler's doing.
func (c *conn) serveFailed(value any) {
	if value != nil {
		c.server.logf("gale: panic in serving a connection: %v\n%s", value, debug.Stack())
	}
	if !c.Closed() {
		c.swapWaits(waitsNot)
		c.server.callUser("Close of a connection", c.close)
	}
}

// prepareWait does for the portable driver, before a read that blocks, what rest does on a loop. It
// reports whether the connection is still there.
func (x *responder) prepareWait() bool {
	if x.res.out.Flush() != nil {
		x.finish(false)
		return false
	}
	c := x.conn
	begun := x.req.in.Unread() > 0
	c.noteHead(begun)
	c.setReadTimeout()
	switch {
	case begun:
		return true
	case c.served:
		c.setWaits(waitsNext)
	default:
		c.setWaits(waitsFirst)
	}
	if x.server.run.closing.Load() { // otherwise retirePortable will see that the connection waits
		if c.served {
			c.setDrainDeadline()
			return true
		}
		c.setWaits(waitsNot)
		c.setReadTimeout()
	}
	return true
}

// setDrainDeadline gives a connection that waits for another request a moment to deliver it: closing a
// connection with an unread request in it would reset it, and could destroy the answer before.
func (c *conn) setDrainDeadline() {
	if c.waits.CompareAndSwap(waitsNext, waitsLast) {
		c.SetReadDeadline(loop.DeadlineIn(lastTicks))
	}
}

// readLast reads once more after Shutdown's deadline: where the machine stood still, that may have
// passed before the read began, which then has not looked.
func (x *responder) readLast() (int, error) {
	x.conn.SetReadDeadline(loop.DeadlineIn(lastTicks))
	defer x.conn.SetReadDeadline(time.Time{})
	return x.req.in.Fill()
}

// setReadTimeout bounds a read of the portable driver as a rest is bounded on a loop.
func (c *conn) setReadTimeout() {
	c.ReadTimeout = 0
	if due := c.restUntil(); due != 0 {
		c.ReadTimeout = int32(max(1, due-c.Tick()))
	}
}

// retirePortable is retire for the present connections of the portable driver; later ones find out
// by themselves. It closes none: a request may just have been read.
func (s *Server) retirePortable() {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for c, setting := range s.run.conns {
		ticks := int64(lastTicks)
		switch {
		case c.waits.CompareAndSwap(waitsFirst, waitsLast):
			ticks = freshTicks
		case !c.waits.CompareAndSwap(waitsNext, waitsLast):
			continue
		}
		setting.Go(func() { // the net.Conn may be user code; its reader waits for this
			s.callUser("SetReadDeadline of a connection", func() { c.SetReadDeadline(loop.DeadlineIn(ticks)) })
		})
	}
}
