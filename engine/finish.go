// Finishing: what follows a handler in the general case (serve.go has the straight path), and the
// end of a connection.

package engine

import (
	"errors"

	"github.com/gale-http/gale/internal/loop"
)

// conclude ends the exchange after its handler: it completes the answer, drains what is left of the
// request, and decides what happens to the connection. It reports whether the connection goes on
// here; a worker that has lost its loop gives it back.
func (x *responder) conclude() bool {
	in, out := &x.req.in, &x.res.out
	x.forget()
	if x.needsCleanup.Load() && x.cleanUp() || x.answerBadBody() {
		return false
	}
	if !out.Ended() && x.server.run.context.Err() != nil {
		out.Break(loop.ErrClosed) // Close has ended its context: the handler may have stopped early because of that
	}
	if !out.Ended() && out.End(nil) != nil && !out.HeadSent() {
		x.fail() // the fields that its handler has set make no valid head
		_ = out.End(nil)
	}
	withheld := x.res.expect == expectPending || x.res.expect == expectOverruled
	if !in.Done() && !withheld {
		in.Drain(x.server.Limits.drain(), false)
	}
	if !in.Done() && !withheld && out.Planned().KeepAlive && out.Flush() == nil {
		in.Drain(x.server.Limits.drain(), true)
	}
	x.runHooks(true)
	in.Release()
	x.spoil()
	if in.Err() != nil && !x.mention(in.Err()) {
		return false
	}
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
	if x.guard.word.Load()&foreign != 0 {
		x.replaceResponder()
		return false
	}
	return true
}

// moreToRead reports whether the peer has sent, or may be sending, something that will not be read.
// The message is over.
func (x *responder) moreToRead() bool {
	c := x.conn
	if x.req.in.Unread() > 0 {
		return true
	}
	if !c.Ready() || c.Portable() {
		return c.Ready()
	}
	// TLS cannot tell, and a socket whose last read filled the buffer may have more.
	c.NoteEvents(0)
	n, _ := c.TryRead(x.scratch())
	return n > 0
}

// answerBadBody answers with the status that the client deserves, in place of the handler's response, when
// the handler found the body malformed and its response is not an error itself, or when it waited
// for the body in vain and has given no response. It does so only if nothing of the response has
// been sent, and reports whether it did. An error in a body that the handler has not read is no
// reason to withdraw its response: whether the error had arrived by then is chance.
func (x *responder) answerBadBody() bool {
	err, out := x.req.in.Err(), &x.res.out
	if err != nil && !out.HeadSent() && x.res.status == 200 && errors.Is(err, loop.ErrTimeout) {
		err = errBodyTimeout
	}
	if err == nil || statusOf(err) == 0 || out.Err() != nil ||
		x.res.status >= 400 || !out.Recall() {
		return false
	}
	x.runHooks(false)
	x.refuse(err)
	return true
}

// refuse answers a message that cannot be understood, after all earlier answers, and ends the
// connection.
func (x *responder) refuse(err error) {
	if x.server.On.ClientError != nil && x.res.out.Err() == nil {
		x.report(err)
		return
	}
	if status := statusOf(err); status != 0 && x.res.out.Err() == nil {
		x.res.out.Append(errorResponse(x.worker.Unix(), status))
	}
	x.finish(true)
}

// finish ends the connection after sending what is ready. With linger it goes on reading for a
// while: bytes that arrive at a closed socket cause a reset, which may destroy the answer before
// the peer has read it. Workers on and off the loop may call it.
func (x *responder) finish(linger bool) {
	c, out := x.conn, &x.res.out
	if err := out.FlushLast(!linger && !x.worker.Lost() && !c.Portable()); err != nil {
		if linger = false; !x.mention(err) {
			return
		}
	}
	x.mentioned = false
	if out.Err() != nil {
		c.SuppressCloseNotify()
		linger = linger && !out.CutShort()
	}
	out.Detach()
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
			c.sink(x.scratch())
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

// giveBack returns the connection of a worker that has lost its loop to that loop, with all that
// was read and not used.
func (x *responder) giveBack() {
	c := x.conn
	if x.res.out.Flush() != nil {
		x.finish(false)
		return
	}
	x.res.out.Detach()
	c.begun, c.begunShared = x.req.in.Detach(x.server.run.shared.Get), true
	if !c.Return(restReturned) {
		c.abandoned()
	}
}

// restReturned puts to rest a connection that a worker has given back. It is served at once if the
// worker had read ahead, if there may be input that no event will announce, or if the server is
// closing.
func restReturned(t loop.Task) {
	c := t.(*conn)
	c.toRest(c.begun != nil || c.Ready() || c.server.run.closing.Load())
}

// abandoned ends a connection whose loop has ended before its handler. Its socket and context are
// invalidated first, because the descriptor's number may be reused at once.
func (c *conn) abandoned() {
	c.invalidate()
	c.Abandon()
	c.server.connDone()
}
