// A response that arrives while a ClientRequest is still being written: the writing goroutine
// looks for it, so that a server that refuses the body is not sent the rest of it.

package agent

import "github.com/gale-http/gale/internal/h1"

// answered reads what has arrived while the request is being sent, unless another goroutine
// reads the response, and reports whether that is a reason to stop sending: the end of the
// connection, a status of 300 or above, or a protocol error. A server that sends a
// successful response early still wants the rest.
func (c *ClientRequest) answered() bool {
	c.mu.Lock()
	if c.readElsewhere || c.peeking {
		c.mu.Unlock()
		return false
	}
	c.peeking = true
	c.mu.Unlock()
	refused := c.res.answered()
	c.mu.Lock()
	c.peeking = false
	c.mu.Unlock()
	return refused
}

func (r *Response) answered() bool {
	if !r.early && r.broken == nil {
		if !r.conn.Ready() {
			return false
		}
		r.conn.Look()
		if n, err := r.in.Fill(); n == 0 && err == nil {
			return false
		}
		r.lookAhead()
	}
	return r.broken != nil || r.early && r.machine.Status() >= 300
}

// lookAhead parses what has been read up to the head of the response.
func (r *Response) lookAhead() {
	r.last.Forget()
	for {
		ev, err := r.in.Next()
		switch {
		case err != nil:
			r.broken = err
		case ev == h1.End:
			r.broken = ErrServerClosed
		case ev == h1.HeadDone && r.machine.Interim():
			r.query.On.interim(r)
			continue
		case ev == h1.HeadDone:
			r.early = true
		}
		return
	}
}
