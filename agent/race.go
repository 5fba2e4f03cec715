// Happy Eyeballs (RFC 8305): of several addresses, the first to accept a connection wins. They
// are tried in turn, alternating between the families; the next attempt begins as soon as
// one has failed, or a quarter of a second after the last one began.

package agent

import (
	"time"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// attemptDelay is the time between the starts of two attempts (RFC 8305 §5).
const attemptDelay = 250 * time.Millisecond

// interleave alternates the families, starting with that of the first address (RFC 8305
// §4).
func interleave(addrs []sys.Addr) []sys.Addr {
	first := addrs[0].IP.Addr().Unmap().Is4()
	var same, other, all []sys.Addr
	for _, a := range addrs {
		if a.IP.Addr().Unmap().Is4() == first {
			same = append(same, a)
		} else {
			other = append(other, a)
		}
	}
	for len(same)+len(other) > 0 {
		if len(same) > 0 {
			all, same = append(all, same[0]), same[1:]
		}
		if len(other) > 0 {
			all, other = append(all, other[0]), other[1:]
		}
	}
	return all
}

// result is the outcome of an attempt: a connection, shared if there are loops, or an
// error.
type result struct {
	conn *conn
	err  error
}

// race tries all addresses and continues with the first connection.
func (d *dialling) race(addrs []sys.Addr) {
	results := make(chan result, len(addrs))
	timer := time.NewTimer(attemptDelay)
	defer timer.Stop()
	var first error
	for begun, pending := 0, 0; ; {
		if begun < len(addrs) {
			d.try(addrs[begun], results)
			begun++
			pending++
			timer.Reset(attemptDelay)
		}
		select {
		case r := <-results:
			pending--
			switch {
			case r.err == nil:
				go discardLate(results, pending)
				d.win(r.conn)
				return
			case first == nil:
				first = r.err
			}
			if pending == 0 && begun == len(addrs) {
				d.fail("dial", first)
				return
			}
		case <-timer.C:
		}
	}
}

// try starts an attempt.
func (d *dialling) try(addr sys.Addr, results chan<- result) {
	if !d.loop.Go(func(w *loop.Worker) {
		c, err := d.attempt(w, addr)
		if err == nil && !c.Portable() {
			c.share()
		}
		results <- result{c, err}
	}) {
		results <- result{nil, ErrDestroyed}
	}
}

// win completes the connection that was made first.
func (d *dialling) win(c *conn) {
	if c.Portable() {
		if !d.loop.Goroutine(func(w *loop.Worker) { d.complete(w, c) }) {
			d.fail("dial", ErrDestroyed)
		}
		return
	}
	if !d.loop.Go(func(w *loop.Worker) {
		c.Reclaim(w)
		c.pooled = false
		d.complete(w, c)
	}) {
		closeLate(c)
		d.fail("dial", ErrDestroyed)
	}
}

// discardLate closes the connections of the n attempts still pending.
func discardLate(results <-chan result, n int) {
	for range n {
		if r := <-results; r.conn != nil {
			closeLate(r.conn)
		}
	}
}

func closeLate(c *conn) {
	if c.Portable() {
		c.Close()
		return
	}
	c.Hand(moved)
}
