// The answer that comes while a ClientRequest is still being written, by the goroutine that
// writes: a server that refuses what it is sent need not be sent the rest.

package agent

import "github.com/gale-http/gale/internal/h1"

// answered reads what has come while the request is being sent, unless somebody else reads,
// and reports whether that is a reason to stop: the end, an answer that is no success, or
// nothing that makes sense. A server that answers with success while it is still being sent
// to wants the rest.
func (c *ClientRequest) answered() bool {
	c.look.Lock()
	if c.apart || c.looks {
		c.look.Unlock()
		return false
	}
	c.looks = true
	c.look.Unlock()
	refused := c.res.answered()
	c.look.Lock()
	c.looks = false
	c.look.Unlock()
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

// lookAhead looks for the head of the answer in what has been read.
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
