// Waiting for the response to a ClientRequest, after the request has been sent or meanwhile.

package agent

import "runtime"

// Response waits for the head of the response (seed: the event 'response'), after ending
// the request if that was not done. If a kept socket turns out to be dead, a request
// without a body is sent again, as Agent.Retry says. The response must be read to its end
// or closed; every call returns the same one.
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

// Receive waits for the head of the response without ending the request, for streaming in
// both directions. Once FlushHeaders or a Write has returned, any goroutine may call
// Receive and read the response while another writes and ends the request. Closing the
// response ends the writing: what is written after that is dropped.
func (c *ClientRequest) Receive() (*Response, error) {
	if err := c.begin(); err != nil {
		return nil, err
	}
	if c.waited {
		return &c.res, nil
	}
	for !c.reader() {
		runtime.Gosched() // the writer is checking for an early response, which takes a moment
	}
	if err := c.failure(); err != nil {
		return nil, err
	}
	return c.receive(false)
}

// reader makes the caller the reader of the response, unless the writer is reading just now.
func (c *ClientRequest) reader() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readElsewhere = !c.peeking
	return c.readElsewhere
}

// receive waits for the head of the response.
func (c *ClientRequest) receive(mayRepeat bool) (*Response, error) {
	c.mu.Lock()
	c.readElsewhere, c.waited = true, true
	c.mu.Unlock()
	err := c.res.receive(c.req)
	if err != nil && mayRepeat && !c.wrote && c.res.shouldRetry(c.req, err) {
		if err = c.repeat(); err != nil {
			return nil, err
		}
		err = c.res.receive(c.req)
	}
	if err == nil {
		return &c.res, nil
	}
	err = c.res.causeOf(err)
	op := "receive"
	if !c.res.sent && !mayRespond(err) {
		op = "send"
	}
	err = c.res.wrap(op, err)
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	c.res.finish(false)
	return nil, err
}

// repeat sends a request of which nothing but a head was sent once more, on a fresh socket.
func (c *ClientRequest) repeat() error {
	over := c.res.over
	c.res.over = nil // the request goes on
	c.res.rejoin(c.res.conn, true)
	c.res.finish(false)
	c.res.over = over
	c.res.fresh, c.begun, c.readElsewhere = true, false, false
	c.side.reset()
	c.req.out.Again()
	return c.End(nil)
}
