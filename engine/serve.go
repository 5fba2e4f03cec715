// Serving: what a worker does with a connection from an event until it rests again. It is one loop:
// take the next head from what has been read, get it answered, read on; when there is nothing more
// to read, send what is ready and put the connection to rest.
//
// Nearly every request is whole in the buffer, has no body, and is answered at once by a single
// End. It takes one straight path: conn.Serve, serve, admit, handled, proceed. Anything out of the
// ordinary is checked for once on that path, as early and as cheaply as possible: by h1.Conn.Usual
// for the request, by plain for what its handler has done, by Outgoing.Part for what is to be sent.
// Whatever fails such a check takes the general path (admitUnusual, conclude, rest), which handles
// every case. Both paths must give the same result.

package engine

import (
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// responder is what a worker needs to serve connections, one at a time: a request, a response, and
// their buffers. It belongs to the worker and is reused; a request that is handed off takes its
// responder with it, and the worker gets another in exchange.
type responder struct {
	worker *loop.Worker
	conn   *conn
	server *Server
	req    Request
	res    Response

	handler      Handler      // answers the request: the server's Handler, except for some requests
	needsCleanup atomic.Bool  // the exchange has left something behind that cleanUp must clean up
	asked        *connContext // the context, if the handler has asked for it
	socket       *Socket      // the connection, if it was taken over
	guard        guard        // between the handler and the goroutines that it has started
	mentioned    bool         // Events.ClientError has been called for the connection, which is about to end

	watching sync.Mutex // guards vigil
	vigil    *loop.PeerWatch
}

// responderOf returns the worker's responder.
func responderOf(w *loop.Worker) *responder {
	if x, ok := w.Local.(*responder); ok && x.worker == w {
		return x
	}
	return newResponder(w)
}

// newResponder makes a responder for the worker, or adopts the one that it got in exchange at a
// hand-off.
func newResponder(w *loop.Worker) *responder {
	if x, ok := w.Local.(*responder); ok {
		x.worker = w
		return x
	}
	x := &responder{worker: w}
	x.guard.word.Store(over)
	x.req.x, x.res.x = x, x
	x.req.in.Reserve()
	x.res.out.Reserve()
	x.req.in.Lend = x.lend
	x.res.out.Start, x.res.out.Plan = x.res.startLine, x.res.plan
	w.Local = x
	return x
}

// scratch returns a buffer for input that is dropped.
func (x *responder) scratch() []byte {
	return x.req.in.Scratch()
}

// run serves the attached connection.
func (x *responder) run() {
	if x.more() && x.serve() {
		x.runOn()
	}
}

// runOn is run after a handler that has panicked.
func (x *responder) runOn() {
	for x.handled() && x.more() && x.serve() {
	}
}

// more reports whether there is anything for Next to parse; otherwise the connection has been put
// to rest, or has ended.
func (x *responder) more() bool { return x.req.in.Unread() > 0 || x.proceed() }

// serve serves the connection, for which more has reported true, until it is put to rest or has
// ended, or until a handler panics; it reports the latter, with the panic dealt with.
func (x *responder) serve() (panicked bool) {
	defer func() { // x itself may belong to another goroutine by then: see handOff
		if panicked {
			panicked = x.caught(recover())
		}
	}()
	in := &x.req.in
	for {
		ev, err := in.Next()
		switch {
		case ev == h1.HeadDone:
			call, goesOn := x.admit(err)
			if call {
				panicked = true // until the handler has returned
				x.handler(&x.req, &x.res)
				panicked = false
				goesOn = x.handled()
			}
			if !goesOn {
				return false
			}
		case err != nil:
			x.refuse(err)
			return false
		case ev == h1.End:
			x.finish(false)
			return false
		case in.Unread() > 0 && !x.read():
			return false
		}
		if in.Unread() == 0 && !x.proceed() {
			return false
		}
	}
}

// proceed is more when everything read has been used. It reports whether there is anything for Next
// to parse; otherwise the connection has been put to rest, or has ended.
func (x *responder) proceed() bool {
	c, in, run := x.conn, &x.req.in, &x.server.run
	// Nearly always there is one send to make and nothing to keep. in keeps its references to
	// this connection until the next one is attached.
	if c.Spent() && run.timeouts.idle > 0 && !in.Ended() && !in.HasGrown() && !run.closing.Load() {
		if p, ok := x.res.out.Part(); ok {
			c.headDue = 0
			rests, err := c.WriteAndRest(p, run.timeouts.idle)
			if rests {
				return false
			}
			if err != nil {
				if x.mention(err) {
					x.finish(false)
				}
				return false
			}
		}
	}
	if run.closing.Load() {
		c.Look() // serve what has arrived by now, even if no event has announced it
	}
	switch {
	case in.Ended(): // Next must see the end of the stream, too
		return true
	case c.Ready():
		return x.read()
	}
	x.rest()
	return false
}

// read reads what there is of the next message and reports whether there was anything. Otherwise
// the connection has been put to rest, or has ended.
func (x *responder) read() bool {
	if x.conn.Portable() && !x.prepareWait() {
		return false
	}
	n, err := x.req.in.Fill()
	if err == nil && n > 0 && !x.conn.Portable() {
		return true
	}
	if c := x.conn; c.Portable() {
		c.setWaits(waitsNot)
		if err == loop.ErrDeadline {
			n, err = x.readLast()
		}
	}
	return err == nil && n > 0 || x.readNothing(err)
}

// readEnd deals with a connection whose first read has brought no bytes. It reports whether there
// is an end of the stream for Next to see.
func (x *responder) readEnd(err error) bool {
	_, err = x.req.in.Filled(0, err)
	return err == nil && x.req.in.Ended() || x.readNothing(err)
}

// readNothing deals with a connection that had nothing to read, and reports whether it is to be
// served on.
func (x *responder) readNothing(err error) bool {
	in := &x.req.in
	late := err == loop.ErrTimeout || err == loop.ErrDeadline // ErrDeadline is from Shutdown
	switch {
	case late && in.Unread() > 0:
		x.refuse(errHeadTimeout)
	case late && x.server.On.Timeout != nil && !x.server.run.closing.Load():
		return x.callWithSocket("Events.Timeout", x.server.On.Timeout)
	case err != nil:
		x.connFailed(err)
	default:
		x.rest()
	}
	return false
}

func (x *responder) attach(c *conn) {
	x.conn, x.server, x.handler = c, c.server, c.server.Handler
	x.req.in.Limits = &c.server.run.limits
	x.res.out.Attach(&c.Stream)
	if unused := x.req.in.Attach(&c.Stream, &c.in, c.begun); c.begun != nil {
		c.begun = unused
		c.releaseBegun()
	}
}

// rest sends what is ready and puts the connection to rest. The loop is held.
func (x *responder) rest() {
	c, in := x.conn, &x.req.in
	if x.res.out.Flush() != nil {
		x.finish(false)
		return
	}
	x.res.out.Detach()
	c.begun, c.begunShared = in.Detach(localOf(c.Loop()).buffers.Get), false
	c.toRest(false)
}

// toRest puts the connection to rest, or closes it when the server is closing, a request has been
// served and nothing of another has been received. again says that there may be input that nobody
// has looked at: the connection is served first.
func (c *conn) toRest(again bool) {
	if !again && c.served && c.begun == nil && c.server.run.closing.Load() {
		c.close()
		return
	}
	c.noteHead(c.begun != nil || c.Partial())
	c.Rest(c.restUntil(), again)
}

// noteHead starts the timeout of a head that has begun, be it only with part of a TLS record, and
// stops it otherwise.
func (c *conn) noteHead(begun bool) {
	switch {
	case !begun:
		c.headDue = 0
	case c.headDue == 0 && c.server.run.timeouts.head > 0:
		c.headDue = c.Tick() + c.server.run.timeouts.head
	}
}

// admit prepares for the handler of the request whose head was found, and reports whether to call
// it; if not, whether the connection goes on here.
func (x *responder) admit(verdict error) (call, goesOn bool) {
	c, out, w := x.conn, &x.res.out, x.worker
	c.served, c.headDue, c.ReadTimeout = true, 0, x.server.run.timeouts.body
	out.Date.Update(w.Unix())
	if c.in.Usual() {
		x.res.begin()
		x.guard.open()
	} else if call, goesOn = x.admitUnusual(verdict); !call {
		return false, goesOn
	}
	if !c.Portable() && w.Loop().Predicts() && x.expectBlock() { // the portable driver does not hold the loop
		x.handOff()
		return false, false
	}
	if out.Buffered() > 0 && !x.keepEarly() {
		return false, false
	}
	w.Begin(&c.Stream)
	return true, true
}

// handled does what follows a handler that has returned, and reports whether the connection goes on
// here.
func (x *responder) handled() bool {
	alone := x.guard.end()
	if !alone {
		x.evict()
	}
	if x.worker.EndHandler() && alone && x.plain() {
		x.forget()
		return true
	}
	return x.conclude()
}

// plain reports whether the exchange, which its handler has had to itself and has returned from,
// needs nothing from conclude: the request was read to its end, the response is complete, the
// connection goes on, and the handler has done nothing that must be cleaned up. Nearly all
// exchanges are plain.
func (x *responder) plain() bool {
	return !x.needsCleanup.Load() && x.req.in.HeadOnly() && x.res.out.Whole()
}

// admitUnusual is the part of admit, up to the call of the handler, for a request that is not
// usual.
func (x *responder) admitUnusual(verdict error) (call, goesOn bool) {
	c, body := x.conn, !x.req.in.Done()
	if c.in.Special() && x.special(verdict) {
		return false, false
	}
	if body && x.res.out.Flush() != nil {
		// Earlier answers must not wait for this request's body.
		x.finish(false)
		return false, false
	}
	x.res.beginFor(c, body)
	x.req.begin()
	x.guard.open()
	if verdict != nil {
		x.res.status = statusOf(verdict)
		return false, x.conclude()
	}
	return true, true
}

// keepEarly makes sure that complete answers in the buffer are sent in time, whatever the next
// handler does. It reports whether the connection goes on here.
func (x *responder) keepEarly() bool {
	out, w := &x.res.out, x.worker
	if !x.conn.Portable() {
		w.ShowEarly(out.Early(w.EarlySent()))
	} else if out.Flush() != nil { // no watchdog would send them for a slow handler
		x.finish(false)
		return false
	}
	return true
}
