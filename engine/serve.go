// Serving: what a worker does with a connection from an event to rest. One loop:
// take the next head out of what has been read, have it answered, read on; when
// there is nothing more, send what is ready and put the connection to rest.

package engine

import (
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/exchange"
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
	if x, ok := w.Local.(*responder); ok {
		x.worker = w // responders change hands when a request is handed off
		return x
	}
	x := &responder{worker: w}
	x.guard.word.Store(over)
	x.req.x, x.res.x = x, x
	x.res.out.Start, x.res.out.Plan = x.res.startLine, x.res.plan
	w.Local = x
	return x
}

// scratch returns memory to read into what nobody wants.
func (x *responder) scratch() []byte {
	return x.req.in.Scratch()
}

// serve serves c until there is nothing more to do for it.
func (x *responder) serve(c *conn) {
	if c.mode != modeHTTP {
		x.unusual(c)
		return
	}
	x.attach(c)
	x.run()
}

// run serves the connection that is attached.
func (x *responder) run() {
	c := x.conn
	for {
		if x.req.in.Unread() == 0 {
			if !c.Ready() {
				x.rest()
				return
			}
			if !x.read() {
				return
			}
		}
		ev, err := x.req.in.Next()
		switch {
		case ev == h1.HeadDone:
			if !x.answer(err) {
				return
			}
		case err != nil:
			x.refuse(err)
			return
		case ev == h1.End:
			x.finish(false)
			return
		case x.req.in.Unread() > 0 && !x.read():
			return
		}
	}
}

// read reads what there is of the next message and reports whether there was
// anything. Otherwise the connection has been put to rest, or has ended.
func (x *responder) read() bool {
	in := &x.req.in
	if x.conn.Portable() && !x.prepareWait() {
		return false
	}
	n, err := in.Fill()
	if x.conn.Portable() {
		x.conn.nowWaits(waitsNot)
	}
	if err == nil && n > 0 {
		return true
	}
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
	c := x.conn
	if x.res.out.Flush() != nil {
		x.finish(false)
		return
	}
	here := localOf(c.Loop())
	x.res.out.Detach()
	c.begun, c.away = x.req.in.Detach(here.buffers.Get), false
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

// answer has the request whose head was found answered. It reports whether the
// connection goes on here.
func (x *responder) answer(verdict error) bool {
	c, out := x.conn, &x.res.out
	c.served, c.headDue, c.ReadTimeout = true, 0, x.server.run.timeouts.body
	if c.in.Special() && x.special(verdict) {
		return false
	}
	if !x.req.in.Done() && out.Flush() != nil {
		// What was answered before must not wait for this request's body.
		x.finish(false)
		return false
	}
	x.res.beginFor(c, !x.req.in.Done())
	x.req.begin()
	x.guard.open()
	out.Date.Update(x.worker.Unix())
	if verdict != nil {
		x.res.status = statusOf(verdict)
		return x.conclude()
	}
	if !c.Portable() && x.worker.Loop().Predicts() && x.expectBlock() {
		x.handOff()
		return false
	}
	if out.Buffered() > 0 && !x.keepEarly() {
		return false
	}
	x.worker.Begin(&c.Stream)
	if !x.call() {
		return false
	}
	if !x.guard.end() {
		x.settle()
	}
	x.worker.EndHandler()
	return x.conclude()
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

// conclude ends the exchange after its handler: the answer, what is left of the
// request, and the fate of the connection. It reports whether the connection goes
// on here; a worker that lost its loop gives it back.
func (x *responder) conclude() bool {
	in, out := &x.req.in, &x.res.out
	if x.asked != nil {
		x.asked.asker.Store(0)
		x.asked = nil
	}
	if in.Done() && out.Ended() && out.Err() == nil && out.Planned().KeepAlive && !x.odd.Load() && !x.worker.Lost() && x.guard.plain() {
		in.Release() // nothing of what follows applies to nearly all
		return true
	}
	if x.odd.Load() && x.oddities() || x.blame() {
		return false
	}
	if !out.Ended() && out.End(nil) != nil && !out.HeadSent() {
		x.fail() // what its handler has set is no head
		_ = out.End(nil)
	}
	withheld := x.res.expect == expectPending || x.res.expect == expectOverruled
	if !in.Done() && !withheld {
		in.Drain(x.server.Limits.drain(), false)
	}
	if !in.Done() && !withheld && out.Planned().KeepAlive && out.Flush() == nil {
		in.Drain(x.server.Limits.drain(), true)
	}
	x.over(true)
	in.Release()
	x.spoil()
	if out.Err() != nil {
		x.finish(x.moreToRead())
		return false
	}
	if !out.Planned().KeepAlive || !in.Done() {
		x.finish(!in.Done() || x.res.to.KeepAlive || x.conn.in.Tunnel() || x.moreToRead())
		return false
	}
	if x.worker.Lost() && !x.conn.Portable() {
		x.giveBack()
		return false
	}
	if x.guard.word.Load()&strange != 0 {
		x.handOn()
		return false
	}
	return true
}

// moreToRead tells whether the peer has sent, or may be sending, what will not be
// read.
func (x *responder) moreToRead() bool { return x.req.in.Unread() > 0 || x.conn.Ready() }

// blame answers a request whose body its handler found malformed with what it
// deserves, in the place of an answer that sounds as if all were well, if nothing
// of that has left. It reports whether it did. What nobody has read is no reason
// to take an answer back: whether it had arrived by then is chance.
func (x *responder) blame() bool {
	err, out := x.req.in.Err(), &x.res.out
	if err == nil || statusOf(err) == 0 || out.Err() != nil ||
		out.HeadSent() && x.res.status >= 400 || !out.Recall() {
		return false
	}
	x.over(false)
	x.refuse(err)
	return true
}

// refuse answers a message that cannot be understood, behind all earlier answers,
// and ends the connection.
func (x *responder) refuse(err error) {
	if x.server.On.ClientError != nil && x.res.out.Err() == nil {
		x.report(err)
		return
	}
	if status := statusOf(err); status != 0 && x.res.out.Err() == nil {
		x.res.out.Append(appendError(nil, x.worker.Unix(), status))
	}
	x.finish(true)
}

// finish ends the connection after sending what is ready. With linger it goes on
// reading for a while: bytes that arrive at a closed socket bring a reset, and that
// may destroy the answer before the peer has read it. It is for workers on and off
// the loop.
func (x *responder) finish(linger bool) {
	c := x.conn
	if x.res.out.FlushLast() != nil {
		linger = false
	}
	if x.res.out.CutShort() {
		c.Abort()
		linger = false
	}
	x.res.out.Detach()
	x.req.in.Discard()
	x.spoil()
	then := endNow
	if linger {
		then = endLater
	}
	switch {
	case c.Portable():
		if linger {
			c.HalfClose()
			exchange.Sink(&c.Stream, x.scratch(), lingerBytes, lingerTicks)
		}
		c.close()
	case !x.worker.Lost():
		c.end(linger)
	case !c.Return(then):
		c.abandoned()
	}
}

// end closes the connection, or lets it linger first. The loop is held.
func (c *conn) end(linger bool) {
	if linger && !c.Failed() {
		c.startLinger()
		return
	}
	c.close()
}

func endNow(t loop.Task)   { t.(*conn).end(false) }
func endLater(t loop.Task) { t.(*conn).end(true) }

// giveBack returns the connection of a worker that lost the loop to that loop,
// with all that was read and not used.
func (x *responder) giveBack() {
	c := x.conn
	if x.res.out.Flush() != nil {
		x.finish(false)
		return
	}
	x.res.out.Detach()
	c.begun, c.away = x.req.in.Detach(x.server.run.shared.Get), true
	if !c.Return(back) {
		c.abandoned()
	}
}

// back takes a connection back that a lost worker has given back. What has come
// meanwhile the poller has told of, or will, unless there was more already when its
// handler was called; a closing server does not wait to be told.
func back(t loop.Task) {
	c := t.(*conn)
	c.toRest(c.begun != nil || c.Ready() || c.server.run.closing.Load())
}

// abandoned ends what is left of a connection whose loop has ended before its
// handler. Others part with it first: the number of its descriptor is the next one's.
func (c *conn) abandoned() {
	c.part()
	c.Abandon()
	c.server.gone()
}
