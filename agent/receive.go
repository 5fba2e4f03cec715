// The answer to a ClientRequest: waited for when that has been sent, or while it is.

package agent

import "runtime"

// Response waits for the head of the answer (seed: the event 'response'), and ends the
// request first if that was not done. A request without a body whose kept socket turns
// out to have been dead is sent again as Agent.Retry says. The answer must be read to its end or closed; it
// is the same at each call.
func (c *ClientRequest) Response() (*Response, error) {
	switch err := c.failure(); {
	case err != nil:
		return nil, err
	case c.waited:
		return &c.res, nil
	}
	if c.side.phase.Load() < over {
		if err := c.End(nil); err != nil {
			return nil, err
		}
	}
	return c.receive(true)
}

// Receive waits for the head of the answer and leaves the request open: it is for
// streaming both ways. Once FlushHeaders, or a Write, has returned, any goroutine may call
// it, and read the answer, while another writes, and ends. Closing the answer ends the
// writing: what is written then is dropped.
func (c *ClientRequest) Receive() (*Response, error) {
	if err := c.begin(); err != nil {
		return nil, err
	}
	if c.waited {
		return &c.res, nil
	}
	for !c.reader() {
		runtime.Gosched() // the writer looks what has come, for a moment
	}
	if err := c.failure(); err != nil {
		return nil, err
	}
	return c.receive(false)
}

// reader makes the caller the one who reads, unless the writer does just now.
func (c *ClientRequest) reader() bool {
	c.look.Lock()
	defer c.look.Unlock()
	c.apart = !c.looks
	return c.apart
}

// receive waits for the head of the answer.
func (c *ClientRequest) receive(mayRepeat bool) (*Response, error) {
	c.look.Lock()
	c.apart, c.waited = true, true
	c.look.Unlock()
	err := c.res.receive(c.req)
	if err != nil && mayRepeat && !c.wrote && c.res.again(c.req, err) {
		if err = c.repeat(); err != nil {
			return nil, err
		}
		err = c.res.receive(c.req)
	}
	if err == nil {
		return &c.res, nil
	}
	err = c.res.blame(err)
	op := "receive"
	if !c.res.sent && !hopeful(err) {
		op = "send"
	}
	err = c.res.wrap(op, err)
	c.look.Lock()
	c.err = err
	c.look.Unlock()
	c.res.finish(false)
	return nil, err
}

// repeat sends a request of which there was no more than a head once more, on a fresh
// socket.
func (c *ClientRequest) repeat() error {
	over := c.res.over
	c.res.over = nil // the request goes on
	c.res.rejoin(c.res.conn, true)
	c.res.finish(false)
	c.res.over = over
	c.res.fresh, c.begun, c.apart = true, false, false
	c.side.again()
	c.req.out.Again()
	return c.End(nil)
}
