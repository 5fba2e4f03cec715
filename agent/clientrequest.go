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
// them. Its methods are for one goroutine at a time, but for Abort, which any may call, and
// Receive: one goroutine may write while another reads the answer.
type ClientRequest struct {
	req    *Request
	res    Response
	ctx    context.Context
	cancel context.CancelCauseFunc
	begun  bool // a socket was asked for
	wrote  bool // some of a body, which cannot be sent again
	waited bool // Response has returned
	err    error
	side   sender     // its part in sending
	look   sync.Mutex // guards apart, looks and err
	apart  bool       // the answer is read by another goroutine, perhaps
	looks  bool       // the writer looks what has come

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
	c.res.call.worker, c.res.call.follows, c.res.call.seat = loop.Seated(c.ctx)
	options.prepare()
	return c
}

// Get asks for a URL with the Default agent (seed: http.get). The answer must be read to
// its end or closed.
func Get(ctx context.Context, url string) (*Response, error) { return Default.Get(ctx, url) }

// Get asks for a URL (seed: http.get). The answer must be read to its end or closed.
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

// GetHeader returns the value of a field that was set, as Request.GetHeader does (seed:
// request.getHeader).
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

// adjust has the socket, if there is one, be what was asked for. While somebody else reads
// the answer, that may be given back unless it is being written to.
func (c *ClientRequest) adjust() {
	s := c.side.conn
	if s == nil || c.failure() != nil {
		return
	}
	c.look.Lock()
	if !c.apart {
		defer c.look.Unlock()
		if c.timed {
			s.ReadTimeout = c.timeout // else it is for who reads: Response.SetTimeout
		}
		c.settings(s)
		return
	}
	c.look.Unlock()
	if c.side.enter() {
		c.settings(s)
		c.side.leave()
	}
}

func (c *ClientRequest) settings(s *conn) {
	if c.delay != nil {
		s.SetNoDelay(*c.delay)
	}
	if c.probe != nil {
		s.SetKeepAlive(*c.probe, c.probeMsecs)
	}
	if c.timed {
		s.WriteTimeout = c.timeout
	}
}

// begin gets a socket.
func (c *ClientRequest) begin() error {
	if err := c.failure(); err != nil || c.begun {
		return err
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
	c.side.conn = c.res.conn
	c.req.out.Interrupt = c.answered
	c.adjust()
	if c.req.out.Headers.Has(bytesparse.FieldExpect) {
		if err := c.sending(c.expect()); err != nil {
			c.fail(err)
			return err
		}
	}
	c.res.sending(&c.side)
	return nil
}

// expect sends the head of a request with Expect, and waits for the server to want the
// body.
func (c *ClientRequest) expect() error {
	out := &c.req.out
	if err := out.FlushHead(); err != nil {
		return err
	}
	if !expectsContinue(out.Headers.Get("Expect")) {
		return nil
	}
	wanted, err := c.res.awaitContinue(c.req)
	c.adjust()
	if err == nil && !wanted {
		out.Break(exchange.ErrInterrupted)
	}
	return err
}

// sending judges what became of sending. When the server has answered already, that is
// no error: what is still written is dropped.
func (c *ClientRequest) sending(err error) error {
	switch {
	case err == nil || err == exchange.ErrInterrupted || c.side.hurried(err):
		return nil
	case errors.Is(err, ErrEnded):
		return err
	}
	if stale(err) && c.ctx.Err() == nil {
		c.req.out.Break(exchange.ErrInterrupted) // it may have answered before it closed
		return nil
	}
	return c.res.wrap("send", err)
}

// part does a part of the sending. It is dropped when the answer has been closed.
func (c *ClientRequest) part(do func() error) error {
	if err := c.begin(); err != nil {
		return err
	}
	s := &c.side
	if !s.enter() {
		if s.phase.Load() == over && s.err == nil {
			return ErrEnded
		}
		return nil
	}
	err := do()
	out := &c.req.out
	switch e := c.sending(err); {
	case e != nil && !errors.Is(err, ErrEnded):
		s.end(err)
		c.fail(e)
		return e
	case out.Ended() || out.Err() != nil:
		s.end(out.Err())
		return e
	default:
		s.leave()
		return e
	}
}

// fail notes that nothing can be sent any more, and gives the socket back unless somebody
// else reads from it.
func (c *ClientRequest) fail(err error) {
	c.look.Lock()
	defer c.look.Unlock()
	if !c.apart {
		c.err = err
		c.res.finish(false)
	}
}

// failure returns why the request has failed, nil when it has not.
func (c *ClientRequest) failure() error {
	c.look.Lock()
	defer c.look.Unlock()
	return c.err
}

// FlushHeaders sends the head without waiting for a body (seed: request.flushHeaders).
func (c *ClientRequest) FlushHeaders() error { return c.part(c.req.out.FlushHead) }

// Write sends p as the next piece of the body, with the head in front of it if that was
// not sent, and waits while the server is slow (seed: request.write). Without a
// Content-Length field the body is sent in chunks. Once the server has refused, what is
// written is dropped: Response says why. A server that sends back while it is sent to may
// have to be read from by another goroutine, or Write waits for ever: see Receive.
// io.Writer.
func (c *ClientRequest) Write(p []byte) (int, error) {
	err := c.part(func() error {
		c.wrote = c.wrote || len(p) > 0
		out := &c.req.out
		if out.Err() == nil && !c.side.conn.Portable() && c.answered() {
			out.Break(exchange.ErrInterrupted)
		}
		_, err := out.Write(p)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// End completes the request with p, which may be nil, as the last piece of its body
// (seed: request.end).
func (c *ClientRequest) End(p []byte) error {
	return c.part(func() error {
		c.wrote = c.wrote || len(p) > 0
		if err := c.req.out.End(p); err != nil {
			return err
		}
		return c.req.out.Flush()
	})
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
