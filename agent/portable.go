// Sockets without a loop: those of the portable driver, and connections from Agent.Dial
// that are not plain sockets. While such a socket is idle, a goroutine reads from it, so
// that its end, or any byte, is noticed at once; a caller that takes it ends that read first.

package agent

import (
	"errors"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

// watch is the read on an idle socket.
type watch struct {
	done  chan struct{} // closed when the read has ended
	heard bool          // the read returned data, or failed; valid once done is closed
}

// past is a deadline that ends a read or write at once.
var past = time.Unix(1, 0)

// put offers the socket, and starts the watch on it if no loop watches it.
func (c *conn) put() bool {
	if !c.Portable() {
		return c.Offer()
	}
	done := make(chan struct{})
	c.watch = watch{done: done}
	c.ReadTimeout = int32(c.origin.run.times.idle)
	if !c.Offer() {
		return false
	}
	watched := func(err error) {
		defer close(done)
		if c.Claim() {
			c.dead.Store(true)
			c.origin.shelf.held.Add(-1)
			c.drop()
			return
		}
		c.watch.heard = !errors.Is(err, loop.ErrTimeout)
	}
	go func() {
		watched(guarded("watching an idle connection", func() error {
			_, err := c.Read(c.peek[:])
			return err
		}, watched))
	}()
	return true
}

// claim takes the socket off the shelf for the caller, unless it is dead.
func (c *conn) claim() bool {
	if !c.Claim() {
		return false
	}
	if !c.Portable() {
		return true
	}
	c.interrupt(false)
	<-c.watch.done
	c.SetReadDeadline(time.Time{})
	if c.watch.heard {
		c.origin.shelf.held.Add(-1)
		c.drop()
		return false
	}
	return true
}

// interrupt ends the reads that wait on the socket and, with writes, the writes. A connection
// of Agent.Dial that cannot do it is closed.
func (c *conn) interrupt(writes bool) {
	end := func() error {
		c.SetReadDeadline(past)
		if writes {
			c.SetWriteDeadline(past)
		}
		return nil
	}
	if !c.Portable() {
		_ = end()
	} else if guarded("interrupting a connection", end, ignore) != nil {
		_ = guarded("closing a connection", func() error { c.Cut(); return nil }, ignore)
	}
}

func ignore(error) {}
