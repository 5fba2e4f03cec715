// ClientRequest: a request whose body is written piece by piece (seed:
// http.ClientRequest).

package agent

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/loop"
)

// ClientRequest is a request under way (seed: http.ClientRequest). Write, FlushHeaders
// and End send it; Response waits for the answer. Nothing is sent before the first of
// them. Its methods are for one goroutine at a time, but for Abort, which any may call.
type ClientRequest struct {
	req    *Request
	res    Response
	ctx    context.Context
	cancel context.CancelCauseFunc
	begun  bool // a socket was asked for
	wrote  bool // some of a body, which cannot be sent again
	waited bool // Response has returned
	err    error

	delay, probe *bool
	probeMsecs   int
	timeout      int32
	timed        bool
	abort        sync.Once
}

// NewRequest begins a request with the Default agent (seed: http.request). See
// Agent.NewRequest.
func NewRequest(ctx context.Context, options *Request) *ClientRequest {
	return Default.NewRequest(ctx, options)
}

// NewRequest begins a request (seed: http.request). The options are the request's until
// its answer has been received; their Body and Source are not used. It must be ended by
// Abort, or by Response and the closing of that.
func (a *Agent) NewRequest(ctx context.Context, options *Request) *ClientRequest {
	c := &ClientRequest{req: options}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	r := a.state()
	o, err := r.resolve(options)
	if err != nil {
		c.err = err
		return c
	}
	c.res.call = call{run: r, origin: o, ctx: c.ctx, over: c.cancel}
	c.res.call.worker, c.res.call.follows = loop.Seated(c.ctx)
	options.prepare()
	return c
}

// Get asks for a URL with the Default agent (seed: http.get). The answer must be read to
// its end or closed.
func Get(ctx context.Context, url string) (*Response, error) { return Default.Get(ctx, url) }

// Get asks for a URL (seed: http.get).
func (a *Agent) Get(ctx context.Context, url string) (*Response, error) {
	res := new(Response)
	if err := a.Do(ctx, &Request{URL: url}, res); err != nil {
		return nil, err
	}
	return res, nil
}

// SetHeader sets a field, as Request.SetHeader does, until the head is sent (seed:
// request.setHeader). With an Expect field the head leaves at once and the body may be
// written when Events.Continue was told; Write waits for that, for a while.
func (c *ClientRequest) SetHeader(name string, values ...string) error {
	if c.req.out.HeadSent() {
		return ErrHeadSent
	}
	return c.req.SetHeader(name, values...)
}

// GetHeader returns the value of a field that was set (seed: request.getHeader).
func (c *ClientRequest) GetHeader(name string) []byte { return c.req.GetHeader(name) }

// RemoveHeader removes a field; once the head is sent it does nothing (seed:
// request.removeHeader).
func (c *ClientRequest) RemoveHeader(name string) {
	if !c.req.out.HeadSent() {
		c.req.RemoveHeader(name)
	}
}

// AddTrailers adds fields that follow the body, as Request.AddTrailers does.
func (c *ClientRequest) AddTrailers(headers ...string) error { return c.req.AddTrailers(headers...) }

// SetTimeout bounds each wait for the server; 0 is for ever (seed: request.setTimeout).
func (c *ClientRequest) SetTimeout(d time.Duration) {
	c.timeout, c.timed = millis(d, 0), true
	c.adjust()
}

// SetNoDelay turns Nagle's algorithm off, as it is, or on, once there is a socket (seed:
// request.setNoDelay).
func (c *ClientRequest) SetNoDelay(noDelay bool) {
	c.delay = &noDelay
	c.adjust()
}

// SetSocketKeepAlive turns TCP probes on, after initialDelay milliseconds without
// traffic, or off, once there is a socket (seed: request.setSocketKeepAlive).
func (c *ClientRequest) SetSocketKeepAlive(enable bool, initialDelay int) {
	c.probe, c.probeMsecs = &enable, initialDelay
	c.adjust()
}

// adjust has the socket, if there is one, be what was asked for.
func (c *ClientRequest) adjust() {
	s := c.res.conn
	if s == nil {
		return
	}
	if c.delay != nil {
		s.SetNoDelay(*c.delay)
	}
	if c.probe != nil {
		s.SetKeepAlive(*c.probe, c.probeMsecs)
	}
	if c.timed {
		s.ReadTimeout, s.WriteTimeout = c.timeout, c.timeout
	}
}

// begin gets a socket.
func (c *ClientRequest) begin() error {
	switch {
	case c.err != nil:
		return c.err
	case c.begun:
		return nil
	}
	c.begun = true
	for c.err = c.res.acquire(); c.err == errRetired; {
		if c.res.call.origin, c.err = c.res.run.resolve(c.req); c.err == nil {
			c.err = c.res.acquire()
		}
	}
	if c.err != nil {
		return c.err
	}
	c.res.attach(c.req)
	c.req.out.Interrupt = c.res.answered
	c.adjust()
	if c.req.out.Headers.Has(bytesparse.FieldExpect) {
		return c.expect()
	}
	return nil
}

// expect sends the head of a request with Expect, and waits for the server to want the
// body.
func (c *ClientRequest) expect() error {
	out := &c.req.out
	if err := out.FlushHead(); err != nil {
		return c.sending(err)
	}
	if !expectsContinue(out.Headers.Get("Expect")) {
		return nil
	}
	wanted, err := c.res.awaitContinue(c.req)
	c.adjust()
	if err == nil && !wanted {
		out.Break(exchange.ErrInterrupted)
		return nil
	}
	return c.sending(err)
}

// sending judges what became of sending. When the server has answered already, that is
// no error: what is still written is dropped.
func (c *ClientRequest) sending(err error) error {
	switch {
	case err == nil || err == exchange.ErrInterrupted:
		return nil
	case errors.Is(err, ErrEnded):
		return err
	}
	if stale(err) && c.ctx.Err() == nil {
		c.req.out.Break(exchange.ErrInterrupted) // it may have answered before it closed
		return nil
	}
	c.err = c.res.wrap("send", err)
	c.res.finish(false)
	return c.err
}

// FlushHeaders sends the head without waiting for a body (seed: request.flushHeaders).
func (c *ClientRequest) FlushHeaders() error {
	if err := c.begin(); err != nil {
		return err
	}
	return c.sending(c.req.out.FlushHead())
}

// Write sends p as the next piece of the body, with the head in front of it if that was
// not sent, and waits while the server is slow (seed: request.write). Without a
// Content-Length field the body is sent in chunks. Once the server has refused, what is
// written is dropped: Response says why. io.Writer.
func (c *ClientRequest) Write(p []byte) (int, error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	c.wrote = c.wrote || len(p) > 0
	if s := c.res.conn; s != nil && c.req.out.Err() == nil && !s.Portable() && s.Ready() && c.res.answered() {
		c.req.out.Break(exchange.ErrInterrupted)
	}
	if _, err := c.req.out.Write(p); err != nil {
		if err = c.sending(err); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// End completes the request with p, which may be nil, as the last piece of its body
// (seed: request.end).
func (c *ClientRequest) End(p []byte) error {
	if err := c.begin(); err != nil {
		return err
	}
	c.wrote = c.wrote || len(p) > 0
	out := &c.req.out
	err := out.End(p)
	if err == nil {
		err = out.Flush()
	}
	if err == nil {
		c.res.sent = true
	}
	return c.sending(err)
}

// Response waits for the head of the answer (seed: the event 'response'), and ends the
// request first if that was not done. A request without a body whose kept socket turns
// out to have been dead is sent again as Agent.Retry says. The answer must be read to its end or closed; it
// is the same at each call.
func (c *ClientRequest) Response() (*Response, error) {
	switch {
	case c.err != nil:
		return nil, c.err
	case c.waited:
		return &c.res, nil
	}
	if !c.res.sent && c.req.out.Err() == nil && !c.req.out.Ended() {
		if err := c.End(nil); err != nil {
			return nil, err
		}
	}
	c.waited = true
	err := c.res.receive(c.req)
	if err != nil && !c.wrote && c.res.again(c.req, err) {
		if err = c.repeat(); err != nil {
			return nil, err
		}
		err = c.res.receive(c.req)
	}
	if err != nil {
		c.err = c.res.wrap("receive", err)
		c.res.finish(false)
		return nil, c.err
	}
	return &c.res, nil
}

// repeat sends a request of which there was no more than a head once more, on a fresh
// socket.
func (c *ClientRequest) repeat() error {
	over := c.res.over
	c.res.over = nil // the request goes on
	c.res.finish(false)
	c.res.over = over
	c.res.fresh, c.begun = true, false
	c.req.out.Again()
	return c.End(nil)
}

// Abort ends the request, wherever it is (seed: request.abort). What waits fails with
// ErrAborted, and the socket is closed. Events.Abort is told, once. Any goroutine may
// call it, and it must be called when Response is not.
func (c *ClientRequest) Abort() {
	c.abort.Do(func() {
		c.cancel(ErrAborted)
		if c.req.On.Abort != nil {
			c.req.On.Abort()
		}
	})
}

// Close ends a request that nobody wants the answer of. It is for the goroutine that
// uses the request.
func (c *ClientRequest) Close() error {
	c.cancel(ErrAborted)
	return c.res.Close()
}

var _ io.WriteCloser = (*ClientRequest)(nil)
