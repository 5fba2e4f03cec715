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
// and End send it; Response waits for the response. Nothing is sent before the first of
// these calls. Its methods are for one goroutine at a time, with two exceptions: any
// goroutine may call Abort, and after Receive one goroutine may write while another reads
// the response.
type ClientRequest struct {
	req           *Request
	res           Response
	ctx           context.Context
	cancel        context.CancelCauseFunc
	begun         bool // a socket has been asked for
	wrote         bool // part of a body, which cannot be sent again, has been written
	waited        bool // Response or Receive has begun to wait for the response
	err           error
	side          sender     // the sending side's state
	mu            sync.Mutex // guards readElsewhere, peeking and err
	readElsewhere bool       // another goroutine may be reading the response
	peeking       bool       // the writing goroutine is checking for an early response

	delay, probe *bool
	probeMsecs   int
	timeout      int32
	timed        bool
	abort        sync.Once
}

// NewRequest creates a request on the Default agent (seed: http.request). See
// Agent.NewRequest.
func NewRequest(ctx context.Context, options *Request) *ClientRequest {
	return Default.NewRequest(ctx, options)
}

// NewRequest creates a request (seed: http.request). It uses options until the response
// has been received, except for their Body and Source, which it ignores. The caller must
// end it: with Abort, with Close, or by calling Response and closing what that returns.
func (a *Agent) NewRequest(ctx context.Context, options *Request) *ClientRequest {
	c := &ClientRequest{req: options}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	r := a.state()
	if options.sends != nil { // for a response that was not closed
		options.sends.stopSending(false)
	}
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

// Get requests a URL with the Default agent (seed: http.get). The response must be read
// to its end or closed.
func Get(ctx context.Context, url string) (*Response, error) { return Default.Get(ctx, url) }

// Get requests a URL (seed: http.get). The response must be read to its end or closed.
func (a *Agent) Get(ctx context.Context, url string) (*Response, error) {
	res := new(Response)
	if err := a.Do(ctx, &Request{URL: url}, res); err != nil {
		return nil, err
	}
	return res, nil
}

// SetHeader sets a field, as Request.SetHeader does, until the head is sent (seed:
// request.setHeader). With an Expect: 100-continue field, the first FlushHeaders, Write or
// End sends the head and waits, at most Timeouts.Continue, for the server to ask for the
// body; Events.Continue is called when it does.
func (c *ClientRequest) SetHeader(name string, values ...string) error {
	if c.req.out.HeadSent() {
		return ErrHeadSent
	}
	return c.req.SetHeader(name, values...)
}

// GetHeader returns the value of a field, as Request.GetHeader does (seed:
// request.getHeader).
func (c *ClientRequest) GetHeader(name string) []byte { return c.req.GetHeader(name) }

// RemoveHeader removes a field; after the head has been sent it does nothing (seed:
// request.removeHeader).
func (c *ClientRequest) RemoveHeader(name string) {
	if !c.req.out.HeadSent() {
		c.req.RemoveHeader(name)
	}
}

// AddTrailers adds trailers, as Request.AddTrailers does.
func (c *ClientRequest) AddTrailers(headers ...string) error { return c.req.AddTrailers(headers...) }

// SetTimeout bounds each wait for the server; 0 is no timeout (seed: request.setTimeout).
func (c *ClientRequest) SetTimeout(d time.Duration) {
	c.timeout, c.timed = millis(d, 0), true
	c.adjust()
}

// SetNoDelay turns Nagle's algorithm off, which is the default, or on, as soon as there is
// a socket (seed: request.setNoDelay).
func (c *ClientRequest) SetNoDelay(noDelay bool) {
	c.delay = &noDelay
	c.adjust()
}

// SetSocketKeepAlive turns TCP keep-alive probes on, after initialDelay milliseconds
// without traffic, or off, as soon as there is a socket (seed: request.setSocketKeepAlive).
func (c *ClientRequest) SetSocketKeepAlive(enable bool, initialDelay int) {
	c.probe, c.probeMsecs = &enable, initialDelay
	c.adjust()
}

// adjust applies the settings to the socket, if there is one. While another goroutine reads
// the response, it may give the socket back unless the sending side has entered.
func (c *ClientRequest) adjust() {
	s := c.side.conn
	if s == nil || c.failure() != nil {
		return
	}
	c.mu.Lock()
	if !c.readElsewhere {
		defer c.mu.Unlock()
		if c.timed {
			s.ReadTimeout = c.timeout // otherwise the reading side sets it: Response.SetTimeout
		}
		c.settings(s)
		return
	}
	c.mu.Unlock()
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

// begin acquires a socket.
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
		if err := c.sendError(c.expect()); err != nil {
			c.fail(err)
			return err
		}
	}
	c.res.sending(&c.side)
	return nil
}

// expect sends the head of a request with an Expect field and waits until the server asks
// for the body.
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

// sendError returns the error of a send for the application. It is not an error that the server has
// already responded: what is still written is then dropped.
func (c *ClientRequest) sendError(err error) error {
	switch {
	case err == nil || err == exchange.ErrInterrupted || c.side.interrupted(err):
		return nil
	case errors.Is(err, ErrEnded):
		return err
	}
	if stale(err) && c.ctx.Err() == nil {
		c.req.out.Break(exchange.ErrInterrupted) // it may have responded before it closed
		return nil
	}
	return c.res.wrap("send", err)
}

// sendPart performs one send operation. It is dropped when the response has been closed.
func (c *ClientRequest) sendPart(do func() error) error {
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
	switch e := c.sendError(err); {
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

// fail records that nothing more can be sent, and gives the socket back unless another
// goroutine reads from it.
func (c *ClientRequest) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.readElsewhere {
		c.err = err
		c.res.finish(false)
	}
}

// failure returns the error that the request has failed with, or nil.
func (c *ClientRequest) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// FlushHeaders sends the head without waiting for the body (seed: request.flushHeaders).
func (c *ClientRequest) FlushHeaders() error { return c.sendPart(c.req.out.FlushHead) }

// Write sends p as the next piece of the body, preceded by the head if that was not sent
// yet, and waits while the server is slow to read (seed: request.write). Without a
// Content-Length field the body is sent in chunks. Once the server has refused the body,
// what is written is dropped; Response returns the refusal. If the server sends much of the
// response before it has read the request, another goroutine may have to read it, or Write
// waits for ever: see Receive. Write implements io.Writer.
func (c *ClientRequest) Write(p []byte) (int, error) {
	err := c.sendPart(func() error {
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

// End completes the request with p, which may be nil, as the last piece of the body
// (seed: request.end).
func (c *ClientRequest) End(p []byte) error {
	return c.sendPart(func() error {
		c.wrote = c.wrote || len(p) > 0
		if err := c.req.out.End(p); err != nil {
			return err
		}
		return c.req.out.Flush()
	})
}

// Abort ends the request in whatever state it is (seed: request.abort). Calls that wait
// fail with ErrAborted, and the socket is closed. Events.Abort is called once. Any
// goroutine may call Abort; it must be called if Response, Receive and Close are not.
func (c *ClientRequest) Abort() {
	c.abort.Do(func() {
		c.cancel(ErrAborted)
		if c.req.On.Abort != nil {
			c.req.On.Abort()
		}
	})
}

// Close ends a request whose response is not wanted. Only the goroutine that uses the
// request may call it.
func (c *ClientRequest) Close() error {
	c.cancel(ErrAborted)
	return c.res.Close()
}

var _ io.WriteCloser = (*ClientRequest)(nil)
