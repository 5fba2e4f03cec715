// A connection as it is at rest: a slot of at most 256 bytes, without a buffer, a goroutine or a
// timer of its own. What serves it belongs to the worker (serve.go).

package engine

import (
	"crypto/tls"
	"sync/atomic"

	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// connsPerPage is how many connections are allocated together: as many as fit 8 KiB beside the 8
// bytes that the runtime adds. Pages never move; slots are reused and pages never freed.
const connsPerPage = 31

// These bound how long a connection that was ended early is still read, so that the peer can read
// the answer before a reset destroys it; many look for one only behind all of their request. It is
// read for lingerTicks, and as long again whenever another lingerBytes have come, up to lingerMost.
const (
	lingerTicks = 2000
	lingerBytes = 256 << 10
	lingerMost  = 64 << 20
	// turnedAway, plus an eighth of the limit, is how many connections beyond the limit are
	// answered before they are closed.
	turnedAway = 64
)

type conn struct {
	loop.Stream
	server *Server
	in     h1.Conn
	// begun holds what has been received of the next request while the connection rests.
	begun []byte
	// headDue is the tick by which the head under way must be complete, 0 when none has begun. In
	// modeHandshake it bounds the handshake; in modeLinger it is when the connection is closed.
	headDue int64
	// linger is how many more bytes may be read and dropped before closing, in modeLinger.
	linger int32
	mode   mode
	// served is set once the head of a request has been received on the connection.
	served bool
	// begunShared reports whether begun came from the shared pool rather than the loop's. serveAgain
	// tells the portable driver to go on serving the connection.
	begunShared, serveAgain bool
	waits                   atomic.Uint32 // portable driver: what it waits for (portable.go)
	extras                  atomic.Pointer[extras]
	next                    *conn // in the loop's free list
}

// mode is what the connection is to be served for next.
type mode uint8

const (
	modeHTTP      mode = iota
	modeLinger         // input is dropped for a while before closing
	modeHandshake      // a TLS handshake comes first
	modeFresh          // Events.Connection has not been called yet
	modeLate           // a head took too long; Events.ClientError is to be called
	modeIdle           // idle for too long; Events.Timeout is to be called
	modeTaken          // taken over: it is no longer the server's
)

// extras holds what few connections need; it is allocated on demand. It is never reused for another
// connection, so it may be kept for ever.
type extras struct {
	context atomic.Pointer[connContext]
	socket  atomic.Pointer[Socket]
	hooks   atomic.Pointer[hooks] // of the exchange under way
}

// extra returns the extras of the connection, and makes them if need be.
func (c *conn) extra() *extras {
	if e := c.extras.Load(); e != nil {
		return e
	}
	c.extras.CompareAndSwap(nil, new(extras))
	return c.extras.Load()
}

// invalidate invalidates the connection's socket and context, which others may hold.
func (c *conn) invalidate() {
	e := c.extras.Swap(nil)
	if e == nil {
		return
	}
	if s := e.socket.Load(); s != nil {
		s.revoke()
	}
	if ctx := e.context.Load(); ctx != nil {
		ctx.asker.Store(0)
		ctx.seat.Vacate()
		ctx.cancel()
	}
}

// newConn returns a free connection slot of the loop, which must be held.
func newConn(s *Server, l *loop.Loop) *conn {
	here := localOf(l)
	if here.free == nil {
		page := newPage()
		for i := range page {
			page[i].next, here.free = here.free, &page[i]
		}
	}
	c := here.free
	here.free, c.next = c.next, nil
	c.init(s)
	return c
}

func newPage() *[connsPerPage]conn { return new([connsPerPage]conn) }

func (c *conn) init(s *Server) {
	c.server = s
	c.in.Reset(h1.Server)
	c.headDue, c.mode, c.served = 0, modeHTTP, false
}

// opened counts a connection whose stream has just been opened, and reports whether the limit
// allows it. unix is the current time.
func (c *conn) opened(unix int64) bool {
	run := &c.server.run
	if n, most := run.open.Add(1), run.connections; n > most {
		c.turnAway(n-most <= most/8+turnedAway && run.tls == nil, unix)
		return false
	}
	c.WriteTimeout = c.server.run.timeouts.write
	t := &c.server.run.timeouts
	switch tlsConn, _ := c.NetConn().(*tls.Conn); {
	case c.server.run.tls != nil || tlsConn != nil:
		c.mode = modeHandshake
		if t.handshake > 0 {
			c.headDue = c.Tick() + t.handshake
		}
	case c.server.On.Connection != nil:
		c.mode = modeFresh
	}
	if c.server.On.Timeout != nil {
		c.Forgive(c.forgive)
	}
	return true
}

// turnAway ends a connection beyond the limit, after a 503 if answer is set. Over TLS, where an
// answer would take a handshake, it is only closed.
func (c *conn) turnAway(answer bool, unix int64) {
	if !answer {
		c.close()
		return
	}
	if c.Portable() {
		c.WriteTimeout = lingerTicks
		_, _ = c.Write(errorResponse(unix, 503))
		c.HalfClose()
		exchange.Sink(&c.Stream, make([]byte, 1<<10), lingerBytes, lingerTicks)
		c.close()
		return
	}
	_, _ = c.TryWrite(errorResponse(unix, 503))
	c.startLinger()
	c.linger = lingerBytes // it holds a place of those beyond the limit
}

// adopt makes a connection of a socket that the loop, which must be held, serves from now on. The
// loop's load already counts it.
func (s *Server) adopt(l *loop.Loop, fd int) {
	c := newConn(s, l)
	if c.OpenUnregistered(l, fd, c) != nil {
		here := localOf(l)
		c.next, here.free = here.free, c
		here.load.Add(-1)
		sys.Close(fd)
		return
	}
	if !c.opened(l.Unix()) {
		return
	}
	c.Rest(c.restUntil(), true) // its request may have arrived already
}

// restUntil returns the tick until which the connection may rest, 0 for no bound.
func (c *conn) restUntil() int64 {
	switch t := &c.server.run.timeouts; {
	case c.headDue != 0:
		return c.headDue
	case c.server.run.closing.Load():
		return c.Tick() + freshTicks
	case t.idle != 0:
		return c.Tick() + t.idle
	case t.inactive != 0:
		return c.Tick() + t.inactive // so that Overdue is called for the request that may come
	}
	return 0
}

// Serve implements loop.Task: there is input, or a hang-up.
func (c *conn) Serve(w *loop.Worker, bits uint32) {
	c.NoteEvents(bits)
	x := responderOf(w)
	if c.mode == modeHTTP && c.begun == nil && c.Raw() { // nearly always
		s, in, out := c.server, &x.req.in, &x.res.out
		x.conn, x.server, x.handler, in.Limits, in.Conn, in.Stream, out.Stream = c, s, s.Handler, &s.run.limits, &c.in, &c.Stream, &c.Stream
		n, err := c.ReadFirst(in.Open())
		in.Got(n)
		if n <= 0 && !x.readEnd(err) {
			return
		}
		if x.serve() {
			x.runOn()
		}
		return
	}
	switch c.mode {
	case modeHTTP:
		x.attach(c)
		x.run()
	case modeLinger:
		c.dropInput(x)
	default:
		x.serveMode(c)
	}
}

// Expire implements loop.Task: the connection has been at rest for too long. Events are called on a
// worker.
func (c *conn) Expire() {
	on := &c.server.On
	switch late := c.headDue != 0; {
	case c.mode != modeHTTP:
		c.close()
	case !late && c.server.run.timeouts.idle == 0:
		c.Rest(c.restUntil(), false) // the deadline was only for Overdue
	case late && on.ClientError != nil:
		c.mode = modeLate
		c.Rest(0, true)
	case late:
		_, _ = c.TryWrite(errorResponse(c.Loop().Unix(), 408))
		c.startLinger()
	case on.Timeout != nil && !c.server.run.closing.Load():
		c.mode = modeIdle
		c.Rest(0, true)
	default:
		c.close()
	}
}

// Stop implements loop.Task: the server is closing.
func (c *conn) Stop() { c.close() }

// HangUp implements loop.Task: the peer has gone while its request is being answered.
func (c *conn) HangUp() {
	e := c.extras.Load()
	if e == nil {
		return
	}
	if ctx := e.context.Load(); ctx != nil {
		ctx.cancel()
	}
	if h := e.hooks.Load(); h != nil && c.Broken() {
		h.broken(c.server)
	}
}

// startLinger tells the peer that nothing more follows, and goes on reading for a while. The loop
// must be held.
func (c *conn) startLinger() {
	c.releaseBegun()
	c.invalidate() // so that nobody uses the TLS that is stripped
	c.HalfClose()
	c.Strip()
	c.mode, c.linger, c.headDue = modeLinger, lingerMost, c.Tick()+lingerTicks
	c.Rest(c.headDue, true)
}

// dropInput reads and drops input after the end, until the peer closes too or a bound is reached.
func (c *conn) dropInput(x *responder) {
	for {
		n, err := c.TryRead(x.scratch())
		if err != nil || int32(n) >= c.linger {
			c.close()
			return
		}
		if n == 0 {
			c.Rest(c.headDue, false)
			return
		}
		left := c.linger - int32(n)
		more := (left-1)/lingerBytes != (c.linger-1)/lingerBytes
		if c.linger = left; more {
			if !c.server.run.closing.Load() {
				c.headDue = c.Tick() + lingerTicks
			}
			c.Rest(c.headDue, true) // others come first
			return
		}
	}
}

// sink is dropInput in the portable driver; it returns when nothing more is to be read.
func (c *conn) sink(scratch []byte) {
	for left := lingerMost; left > 0 && exchange.Sink(&c.Stream, scratch, lingerBytes, lingerTicks); left -= lingerBytes {
		if c.server.run.closing.Load() {
			return
		}
	}
}

// close closes the connection and frees its slot. The loop must be held, unless the driver is the
// portable one.
func (c *conn) close() {
	c.invalidate()
	if c.mode != modeTaken {
		c.server.connDone()
	}
	if c.Portable() {
		c.server.run.mu.Lock()
		delete(c.server.run.conns, c)
		c.server.run.mu.Unlock()
		c.Close()
		return
	}
	c.releaseBegun()
	l := c.Loop()
	c.Close()
	here := localOf(l)
	here.load.Add(-1)
	c.next, here.free = here.free, c
}

func (c *conn) releaseBegun() {
	if c.begun != nil {
		if c.begunShared {
			c.server.run.shared.Put(c.begun)
		} else {
			localOf(c.Loop()).buffers.Put(c.begun)
		}
		c.begun = nil
	}
}
