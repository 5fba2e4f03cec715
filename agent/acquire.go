// Acquiring a socket for a call: one at rest on the caller's loop, one from the shelf, a
// new one, or a place in the queue for either.

package agent

import (
	"context"
	"errors"

	"github.com/gale-http/gale/internal/loop"
)

// here returns the call's worker if the calling goroutine is the worker's, else nil: a handler may
// give a ClientRequest, or a Response, to another goroutine.
func (r *call) here() *loop.Worker {
	if w := r.worker; w != nil && w.Mine() {
		return w
	}
	return nil
}

// acquire gets a socket for the call.
func (r *Response) acquire() error {
	if r.here() == nil {
		r.worker, r.follows = nil, false
	}
	if r.turn != nil {
		return r.wait()
	}
	if r.ended() {
		return &Error{"request", r.call.origin.name, r.ctx.Err()}
	}
	if r.run.destroyed.Load() {
		return &Error{"request", r.call.origin.name, ErrDestroyed}
	}
	o := r.call.origin
	r.reused = false
	for r.worker != nil && !r.fresh && o.local() {
		c, quiet := r.fromLane()
		if c == nil {
			break
		}
		if quiet {
			return r.use(c)
		}
		r.release(c, false)
	}
	if o.queue.waiting.Load() == 0 {
		if !r.fresh {
			if c := o.take(); c != nil {
				return r.adopt(c)
			}
		}
		if o.reserve() {
			return r.dial()
		}
		if o.retired() {
			return errRetired
		}
	}
	return r.wait()
}

// fromLane takes a socket that rests on the caller's loop, nil when there is none. quiet
// reports that no input has arrived on it.
func (r *Response) fromLane() (c *conn, quiet bool) {
	w := r.worker
	under, held := w.Enter()
	if !held {
		r.worker, r.follows = nil, false
		return nil, false
	}
	c, quiet = r.call.origin.laneOf(w.Loop()).take(w)
	if c != nil && r.follows {
		c.Follow(true)
	}
	w.Leave(under)
	if c != nil && !quiet {
		quiet = c.ProbeNoInput(c.peek[:]) // without holding the loop: reading TLS may call user code
	}
	return c, quiet
}

// adopt makes a socket from the shelf, or a new one, the call's.
func (r *Response) adopt(c *conn) error {
	if w := r.worker; w != nil && !c.Portable() {
		if under, held := w.Enter(); held {
			successor, err := c.own(w)
			if err == nil && r.follows {
				successor.Follow(true)
			}
			w.Leave(under)
			if err != nil {
				c.discard()
				return &Error{"dial", r.call.origin.name, err}
			}
			return r.begin(successor)
		}
		r.worker = nil
	}
	r.follows = false
	return r.begin(c)
}

// begin uses a socket that no loop has checked just now. If a kept one has input, it is
// closed instead: an unsolicited response must not become that of the next request.
func (r *Response) begin(c *conn) error {
	if c.used && !c.ProbeNoInput(c.peek[:]) {
		r.rejoin(c, r.fresh)
		r.release(c, false)
		return r.acquire()
	}
	return r.use(c)
}

// use starts the use of a socket, which finish ends.
func (r *Response) use(c *conn) error {
	c.free.Store(false)
	c.uses.Add(1)
	r.conn, r.reused = c, c.used
	if !r.follows {
		r.stop = c.watchFor(r.ctx, r.seat)
	}
	var err error
	switch {
	case r.ended():
		err = r.ctx.Err()
	case r.run.destroyed.Load(): // since acquire checked: Destroy may have missed this socket
		err = ErrDestroyed
	default:
		return nil
	}
	r.finish(false)
	return &Error{"request", r.call.origin.name, err}
}

// ended reports whether the context has ended. It checks Done, not Err: the Err of a handler's
// context would ask the socket.
func (r *Response) ended() bool {
	select {
	case <-r.ctx.Done():
		return true
	default:
		return false
	}
}

// rejoin queues the call once more, ahead of calls that have not had their turn: it is about
// to close c, which was dead, and is to get the place of c.
func (r *Response) rejoin(c *conn, fresh bool) {
	if o := r.call.origin; o.max > 0 {
		r.turn = &waiter{fresh: fresh}
		c.pledged = true
		o.pledges.Add(1)
		o.queue.waiting.Add(1)
		o.queue.rejoined.join(r.turn)
	}
}

// wait waits in the queue for a socket, or for the right to make one.
func (r *Response) wait() error {
	o := r.call.origin
	w := r.turn
	if r.turn = nil; w == nil {
		w = new(waiter)
		o.queue.waiting.Add(1)
		o.queue.line.join(w)
	}
	o.match()
	err := r.await(&w.gate, r.run.times.queue)
	if err != nil && o.queue.leave(w) {
		o.match() // what it might have been granted goes to the next
		return r.waitError("wait for a socket", err)
	}
	switch {
	case w.conn == nil && o.retired():
		return errRetired
	case w.conn == nil:
		return r.dial()
	case r.fresh && w.conn.used:
		r.rejoin(w.conn, true)
		w.conn.discard()
		return r.acquire()
	}
	return r.adopt(w.conn)
}

// await waits until the gate opens, the timeout passes or the context ends.
func (r *Response) await(g *loop.Gate, timeout int64) error {
	if r.ctx.Done() == nil {
		return g.Wait(r.here(), timeout)
	}
	stop := context.AfterFunc(r.ctx, g.Cancel)
	defer stop()
	return g.Wait(r.here(), timeout)
}

func (r *Response) waitError(op string, err error) error {
	switch e := r.ctx.Err(); {
	case e != nil:
		err = e
	case errors.Is(err, loop.ErrClosed):
		err = ErrDestroyed
	}
	return &Error{op, r.call.origin.name, err}
}
