// Serving: what a worker does with a connection from an event to rest. One loop:
// take the next head out of what has been read, have it answered, read on; when
// there is nothing more, send what is ready and put the connection to rest.
//
// Nearly every request is whole in the buffer, has no body, and is answered at once, by
// one End. It goes one straight way, from conn.Serve through serve, admit, handled and proceed, on
// which everything that could be out of the ordinary is asked once, as early as
// possible, in few words: h1.Conn.Usual for the request, plain for what its handler has
// done, Outgoing.Part for what is to be sent. What says no goes the long way, which sees to
// everything (admitUnusual, conclude, rest), and to the same as which the straight way must
// come.

package engine

import (
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// responder is what a worker needs to serve connections, one at a time: a request,
// a response, and their buffers. It belongs to the worker and is reused; when a
// request is handed off, it goes with it, in exchange for another.
type responder struct {
	worker *loop.Worker
	conn   *conn
	server *Server
	req    Request
	res    Response

	handler Handler      // who answers: the server's, but for some requests
	odd     atomic.Bool  // the exchange has left something behind that oddities puts right
	asked   *connContext // what its handler has asked for
	socket  *Socket      // the connection, when it was taken over
	guard   guard        // between the handler and goroutines that it has started

	watching sync.Mutex // guards vigil
	vigil    *loop.Vigil
}

// responderOf returns the worker's responder.
func responderOf(w *loop.Worker) *responder {
	if x, ok := w.Local.(*responder); ok && x.worker == w {
		return x
	}
	return newResponder(w)
}

// newResponder makes the worker's responder, or one that has changed hands, as they do when a
// request is handed off, the worker's.
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

// scratch returns memory to read into what nobody wants.
func (x *responder) scratch() []byte {
	return x.req.in.Scratch()
}

// run serves the connection that is attached.
func (x *responder) run() {
	if x.more() && x.serve() {
		x.runOn()
	}
}

// runOn is run behind a handler that has panicked.
func (x *responder) runOn() {
	for x.handled() && x.more() && x.serve() {
	}
}

// more reports whether there is anything for Next to judge; otherwise nothing more is to be done.
func (x *responder) more() bool { return x.req.in.Unread() > 0 || x.proceed() }

// serve is run where there is more, until a handler panics, and that was dealt with, which it
// reports, or until nothing more is to be done.
func (x *responder) serve() (panicked bool) {
	defer func() { // x itself may be another goroutine's by then: see handOff
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
				panicked = true // until it has returned
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

// proceed sees to more when nothing is left of what was read, and reports whether there is anything for
// Next to judge. Otherwise the connection was put to rest, or has ended.
func (x *responder) proceed() bool {
	c, in, run := x.conn, &x.req.in, &x.server.run
	// Nearly always there is one send to make, and nothing to keep. What in has of the
	// connection it keeps until the next one begins.
	if c.Spent() && run.timeouts.idle > 0 && !in.Ended() && !in.Ample() && !run.closing.Load() {
		if p, ok := x.res.out.Part(); ok {
			c.headDue = 0
			rests, err := c.WriteAndRest(p, run.timeouts.idle)
			if rests {
				return false
			}
			if err != nil {
				x.finish(false)
				return false
			}
		}
	}
	if run.closing.Load() {
		c.Look() // what has come by now is served, although nobody has heard of it
	}
	switch {
	case in.Ended(): // it is Next's to judge, too
		return true
	case c.Ready():
		return x.read()
	}
	x.rest()
	return false
}

// read reads what there is of the next message and reports whether there was
// anything. Otherwise the connection has been put to rest, or has ended.
func (x *responder) read() bool {
	if x.conn.Portable() && !x.prepareWait() {
		return false
	}
	n, err := x.req.in.Fill()
	if err == nil && n > 0 && !x.conn.Portable() {
		return true
	}
	if x.conn.Portable() {
		x.conn.nowWaits(waitsNot)
	}
	return err == nil && n > 0 || x.readNothing(err)
}

// readEnd is what becomes of a connection of which nothing could be read at first.
func (x *responder) readEnd(err error) bool {
	_, err = x.req.in.Filled(0, err)
	return err == nil && x.req.in.Ended() || x.readNothing(err)
}

// readNothing is what becomes of a connection of which nothing could be read.
func (x *responder) readNothing(err error) bool {
	in := &x.req.in
	late := err == loop.ErrTimeout || err == loop.ErrDeadline // the latter is Shutdown's
	switch {
	case late && in.Unread() > 0:
		x.refuse(errHeadTimeout)
	case late && x.server.On.Timeout != nil && !x.server.run.closing.Load():
		return x.lendTo("Events.Timeout", x.server.On.Timeout)
	case err != nil:
		x.failed(err)
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
	c.begun, c.away = in.Detach(localOf(c.Loop()).buffers.Get), false
	c.toRest(false)
}

// toRest puts the connection to rest, or, when the server is closing and nothing
// has begun, to its end. again tells that something may have come that nobody has
// looked at: it is served first.
func (c *conn) toRest(again bool) {
	if !again && c.served && c.begun == nil && c.server.run.closing.Load() {
		c.close()
		return
	}
	c.noteHead(c.begun != nil || c.Partial())
	c.Rest(c.restUntil(), again)
}

// noteHead starts the clock of a head that has begun, if only with a part of a record of
// TLS, and stops it otherwise.
func (c *conn) noteHead(begun bool) {
	switch {
	case !begun:
		c.headDue = 0
	case c.headDue == 0 && c.server.run.timeouts.head > 0:
		c.headDue = c.Tick() + c.server.run.timeouts.head
	}
}

// admit prepares for the handler of the request whose head was found, and tells whether
// it is to be called; otherwise, whether the connection goes on here without.
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
	if !c.Portable() && w.Loop().Predicts() && x.expectBlock() { // whoever is portable does not hold the loop
		x.handOff()
		return false, false
	}
	if out.Buffered() > 0 && !x.keepEarly() {
		return false, false
	}
	w.Begin(&c.Stream)
	return true, true
}

// handled sees to what follows a handler that has returned, and reports whether the
// connection goes on here.
func (x *responder) handled() bool {
	alone := x.guard.end()
	if !alone {
		x.settle()
	}
	if x.worker.EndHandler() && alone && x.plain() {
		x.forget()
		return true
	}
	return x.conclude()
}

// plain reports whether an exchange whose handler has returned, and had it to itself, is over, and
// HTTP goes on: the request was read and the answer ended, and the handler has done nothing that
// must be put right. Nearly all are, and conclude has nothing to do.
func (x *responder) plain() bool {
	return !x.odd.Load() && x.req.in.Plain() && x.res.out.Whole()
}

// admitUnusual is admit of a request that has something more to it than a head, up to
// where the handler may be called.
func (x *responder) admitUnusual(verdict error) (call, goesOn bool) {
	c, body := x.conn, !x.req.in.Done()
	if c.in.Special() && x.special(verdict) {
		return false, false
	}
	if body && x.res.out.Flush() != nil {
		// What was answered before must not wait for this request's body.
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

// keepEarly sees to it that answers which are finished leave in time, whatever the
// handler does that is called next. It reports whether the connection goes on here.
func (x *responder) keepEarly() bool {
	out, w := &x.res.out, x.worker
	if !x.conn.Portable() {
		w.ShowEarly(out.Early(w.EarlySent()))
	} else if out.Flush() != nil { // nobody would take it away from the handler
		x.finish(false)
		return false
	}
	return true
}
