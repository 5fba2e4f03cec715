// Events: what a server reports, and where it lets others decide (seed: the events of http.Server).
// They run like handlers, on a worker that may suspend and may lose its loop, and never while the
// worker holds the loop.

package engine

import (
	"runtime/debug"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Events are the events of a server (seed: http.Server). Each may be nil, which stands for what the
// seed does when there is no listener. A panic in one is logged and ends its connection.
type Events struct {
	// Listening is called each time the server has begun to listen on another address.
	Listening func()
	// Close is called once, when the server has closed, on a goroutine of its own. Shutdown waits
	// for it until its context ends, Close of the server for up to a second. It must not call
	// either, nor Wait.
	Close func()
	// Connection is called for each new connection, before any HTTP is read from it; over TLS,
	// after the handshake. Until it returns, the socket can be read and written.
	Connection func(socket *Socket)
	// CheckContinue is called in place of the Handler for a request with Expect: 100-continue. It
	// calls WriteContinue if it wants the body, or answers without. When nil, the 100 is sent when
	// a read of the body first has to wait.
	CheckContinue Handler
	// Connect is called for a CONNECT request. The socket and head, the bytes that have been read
	// beyond the request, are the callee's, which answers on the socket and closes it. When both
	// Connect and ConnectRequest are nil, the connection is closed.
	Connect func(req *Request, socket *Socket, head []byte)
	// ConnectRequest is called for a CONNECT request when Connect is nil. It is for those that need
	// a Response, to refuse the request with it or to Hijack. The connection closes after the
	// answer.
	ConnectRequest Handler
	// Upgrade is called for a request that asks to switch to another protocol (Connection: upgrade,
	// RFC 9110 §7.8) and has no body; socket and head are as for Connect. The callee answers on the
	// socket, with 101 or otherwise, and closes it. When Upgrade is nil, and for a request with a
	// body, the request to switch is ignored, as RFC 9110 allows, and the Handler answers in HTTP.
	// (The seed closes the connection when there is no listener.)
	Upgrade func(req *Request, socket *Socket, head []byte)
	// ClientError is called when what a client sent cannot be understood (err is a *ProtocolError)
	// or its connection failed (any other error), also while a request is being answered: then after
	// its handler has returned. All earlier answers have been sent. Until it returns, the socket can
	// be written, unless the request has been answered, be it in part, or the connection has failed;
	// then the connection is closed. When nil, the client gets the status that err carries.
	ClientError func(err error, socket *Socket)
	// Timeout is called when a connection has been idle, or inactive while a request is being
	// answered, for as long as Timeouts and SetTimeout allow; in the second case possibly while the
	// handler runs. When it is set, the connection is closed only if it calls the socket's Close;
	// otherwise it is called again after the same time. Between requests, the socket can be written
	// until Timeout returns. When nil, the connection is closed.
	Timeout func(socket *Socket)
}

// ProtocolError says why a client's message was refused: the status it deserves, what is wrong, and
// where.
type ProtocolError = h1.Error

// outcome is how a call of user code ended.
type outcome uint8

const (
	returned outcome = iota
	panicked         // the panic was logged, unless it was ErrAbort
	exited           // runtime.Goexit: the goroutine is unwinding, and its connection is dealt with
)

// callUser calls the user function event; name is what the log calls it. It logs a panic, or a call of
// runtime.Goexit, in which case callUser does not return.
func (s *Server) callUser(name string, event func()) (what outcome) {
	what = exited
	defer func() {
		if what == returned {
			return
		}
		value := recover()
		if value == nil {
			s.logf("gale: %s called runtime.Goexit\n%s", name, debug.Stack())
			return
		}
		if what = panicked; value != ErrAbort {
			s.logf("gale: panic in %s: %v\n%s", name, value, debug.Stack())
		}
	}()
	event()
	return returned
}

// callUser calls the user function event on behalf of the connection, and ends that on runtime.Goexit.
// The worker is under the lease's rule.
func (x *responder) callUser(name string, event func()) (what outcome) {
	what = exited
	defer func() {
		if what == exited {
			x.endUnwinding()
		}
	}()
	what = x.server.callUser(name, event)
	return what
}

// callUserAside calls the user function event on a goroutine that nobody waits for. If event does not
// return normally, cut ends the connection; nil when that has ended already.
func (s *Server) callUserAside(name string, event, cut func()) {
	what := exited
	defer func() {
		if what != returned && cut != nil {
			cut()
		}
	}()
	what = s.callUser(name, event)
}

// endUnwinding ends the connection on a goroutine that is unwinding, which must not suspend.
func (x *responder) endUnwinding() {
	onLoop := x.worker.End()
	switch {
	case x.socket != nil:
		x.releaseTaken()
	case onLoop:
		x.finishAtOnce(false)
	default:
		x.finish(false)
	}
}

// callWithSocket calls event with the socket, which can be read and written until event returns. It reports
// whether the connection goes on here.
func (x *responder) callWithSocket(name string, event func(*Socket)) bool {
	c := x.conn
	s := c.socket()
	s.lend()
	x.worker.BeginAside(&c.Stream)
	what := x.callUser(name, func() {
		defer x.endLoan(s)
		event(s)
	})
	if what == exited {
		return false
	}
	x.worker.End()
	if what == panicked {
		x.finish(false)
		return false
	}
	return true
}

// special handles a request that may want more than an answer: a tunnel, another protocol, a 100
// first. It reports whether it has dealt with the request; otherwise the request is answered like
// any other, by x.handler.
func (x *responder) special(verdict error) (done bool) {
	on, c := &x.server.On, x.conn
	switch {
	case c.in.Method() != bytesparse.MethodConnect:
		if on.Upgrade != nil && c.in.Upgrade() && verdict == nil && x.req.in.Done() {
			x.handOver("Events.Upgrade", on.Upgrade)
			return true
		}
		if on.CheckContinue != nil && c.in.ExpectContinue() && verdict == nil {
			x.handler = on.CheckContinue
			x.needsCleanup.Store(true)
		}
		return false
	case on.Connect != nil && verdict != nil:
		return false // refused like any other
	case on.Connect != nil:
		x.handOver("Events.Connect", on.Connect)
	case on.ConnectRequest != nil:
		x.handler = on.ConnectRequest
		x.needsCleanup.Store(true)
		return false
	default:
		x.finish(true) // seed: 'connect', without a listener
	}
	return true
}

// handOver gives the connection to an event for good.
func (x *responder) handOver(name string, event func(*Request, *Socket, []byte)) {
	x.res.beginFor(x.conn, false)
	x.req.begin()
	socket, head, err := x.hijack()
	if err != nil {
		x.finish(false)
		return
	}
	x.guard.open()
	x.worker.BeginAside(nil)
	what := x.callUser(name, func() { event(&x.req, socket, head) })
	if what == exited {
		return
	}
	if !x.guard.end() {
		x.evict()
	}
	x.worker.End()
	if what == panicked {
		_ = socket.Close()
	}
	x.releaseTaken()
}

// hijack takes the connection away from the server. It returns the socket and the bytes that were
// read and not used.
func (x *responder) hijack() (*Socket, []byte, error) {
	in, out := &x.req.in, &x.res.out
	if x.socket != nil {
		return nil, nil, ErrHijacked
	}
	if err := out.Flush(); err != nil {
		return nil, nil, err
	}
	x.endVigil()
	c := x.conn
	s := c.socket()
	if err := s.take(); err != nil {
		return nil, nil, err
	}
	x.socket, c.mode = s, modeTaken
	x.needsCleanup.Store(true)
	c.server.connDone()
	c.takeHooks()
	out.Break(ErrHijacked)
	return s, in.Abandon(ErrHijacked), nil
}

// releaseTaken releases what the server still has of a connection that was taken over, once the user code
// that took it has returned.
func (x *responder) releaseTaken() {
	c, s := x.conn, x.socket
	x.socket = nil
	x.needsCleanup.Store(false)
	x.req.in.Discard()
	x.res.out.Detach()
	s.conn.Leave()
	switch {
	case c.Portable() || !x.worker.Lost():
		c.close()
	case !c.Loop().Post(func(*loop.Loop) { c.close() }):
		c.invalidate()
	}
}

// cleanUp cleans up after an exchange that has left something behind, and reports whether its
// connection has been taken over.
func (x *responder) cleanUp() (taken bool) {
	x.needsCleanup.Store(false)
	x.handler = x.server.Handler
	x.endVigil()
	if e := x.conn.extras.Load(); e != nil {
		if ctx := e.context.Load(); ctx != nil {
			ctx.forget(x)
		}
	}
	if x.socket != nil {
		x.releaseTaken()
		return true
	}
	c := x.conn
	c.SetReadDeadline(time.Time{})
	c.SetWriteDeadline(time.Time{})
	c.ReadTimeout, c.WriteTimeout = c.server.run.timeouts.body, c.server.run.timeouts.write
	return false
}

// serveMode serves a connection whose mode asks for something other than reading a request.
func (x *responder) serveMode(c *conn) {
	mode := c.mode
	c.mode = modeHTTP
	x.attach(c)
	on := &c.server.On
	switch mode {
	case modeHandshake:
		x.startHandshake()
		return
	case modeFresh:
		if !x.callWithSocket("Events.Connection", on.Connection) {
			return
		}
	case modeLate:
		x.refuse(errHeadTimeout)
		return
	case modeIdle:
		if !x.callWithSocket("Events.Timeout", on.Timeout) {
			return
		}
		c.Watch(c.server.run.timeouts.inactive) // a request may have arrived meanwhile, and the deadline has been used up
	}
	x.serveOn()
}

// goOn begins to serve HTTP on a TLS connection after its handshake, unless ok is false or
// Events.Connection has ended the connection.
func (x *responder) goOn(ok bool) {
	if connection := x.server.On.Connection; ok && (connection == nil || x.callWithSocket("Events.Connection", connection)) {
		x.serveOn()
	}
}

// serveOn serves the attached connection, or gives it back to its loop if this worker has lost
// that.
func (x *responder) serveOn() {
	if x.worker.Lost() && !x.conn.Portable() {
		x.giveBack()
		return
	}
	x.run()
}

// connFailed ends a connection that cannot be read any more.
func (x *responder) connFailed(err error) {
	if x.server.On.ClientError != nil && !ours(err) {
		x.report(err)
		return
	}
	x.finish(false)
}

// ours reports whether err is of the server's own making, and so none of its client's.
func ours(err error) bool {
	switch err {
	case ErrTimeout, ErrClosed, ErrOver, ErrBusy, loop.ErrDeadline:
		return true
	}
	return false
}

// mention calls Events.ClientError, once, for a connection that is about to end because of err and
// on which the event has nothing to write: it has failed, or the request has had its answer. What is
// ready is sent first. It reports whether the connection is still to be ended here.
func (x *responder) mention(err error) bool {
	event := x.server.On.ClientError
	if event == nil || x.mentioned || ours(err) {
		return true
	}
	x.mentioned = true
	_ = x.res.out.FlushLast(false)
	s := x.conn.socket()
	if x.conn.Failed() || s.state.Load() == closed { // by user code or the server
		return true
	}
	x.worker.BeginAside(&x.conn.Stream)
	if x.callUser("Events.ClientError", func() { event(err, s) }) == exited {
		return false
	}
	x.worker.End()
	return true
}

// report calls Events.ClientError, after all earlier answers have been sent, and ends the
// connection.
func (x *responder) report(err error) {
	if x.res.out.FlushLast(false) != nil {
		x.finish(false)
		return
	}
	x.mentioned = true
	if x.callWithSocket("Events.ClientError", func(s *Socket) { x.server.On.ClientError(err, s) }) {
		x.finish(true)
	}
}
