// A net.Conn over a stream, for code that knows net.Conn and nothing of loops.
//
//	NewConn ──▶ lent: the stream's owner stays the owner; Close only cuts
//	                │
//	              Take
//	                ▼
//	           taken: the descriptor is the Conn's own, on the same loop, and may
//	                  outlive handler and loop; its last user, after Close or after
//	                  the loop's end, closes it
//
// A worker whose handler uses the Conn suspends, on the stream that it serves as well as on one
// that its handler took; any other goroutine parks. Close and the end of the group wake the
// waiters.

package loop

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

// Conn is a net.Conn over a stream. Its methods may be called from any goroutine, and several at
// once: reads wait for each other, and so do writes. Errors are io.EOF, io.ErrUnexpectedEOF (the
// end of a TLS connection without close_notify), ErrDeadline (a net.Error that matches
// os.ErrDeadlineExceeded), ErrClosed (which matches net.ErrClosed) and those of the kernel. Read
// and Write do not allocate.
type Conn struct {
	stream           atomic.Pointer[Stream]
	users            atomic.Int32 // calls under way, one more while it is not closed, and connClosed
	reading, writing sync.Mutex
	own              Stream // the stream after Take

	asking        sync.Mutex // guards the addresses
	local, remote net.Addr
}

// connClosed is the bit of Conn.users that is set for good when the Conn is closed.
const connClosed = 1 << 30

// NewConn returns a Conn over s, which stays its owner's: while s is served, its worker and the
// goroutines of that handler may use the Conn. Close of a Conn that was lent cuts the connection
// and leaves the closing to the owner, who must make sure that nobody uses the Conn when s is
// closed.
func NewConn(s *Stream) *Conn {
	c := new(Conn)
	c.users.Store(1)
	c.stream.Store(s)
	return c
}

// Take makes the Conn the owner of the socket. The stream that it was lent is closed without the
// socket, as if by Close; goroutines that are parked on it get ErrOver. It may be called while the
// stream is served, by its worker or by any goroutine, which then parks. From now on Close closes
// the descriptor, and so does the end of the group, which does not wait for the Conn. It fails when
// the Conn is closed or the group is being stopped.
func (c *Conn) Take() error {
	c.LocalAddr()
	c.RemoteAddr()
	if !c.begin() {
		return ErrClosed
	}
	defer c.end()
	s := c.stream.Load()
	if s.portable {
		return c.takeConn(s)
	}
	if w := s.caller(); w != nil {
		if under := w.held != 0; w.enter() {
			err := c.take(s, w)
			w.leave(under)
			return err
		}
	}
	done := make(chan error, 1)
	if !s.loop.Post(func(*Loop) { done <- c.take(s, nil) }) {
		return ErrClosed
	}
	return <-done
}

// take is Take with the loop held. w is the worker that calls, nil for a goroutine.
func (c *Conn) take(s *Stream, w *Worker) error {
	l, own := s.loop, &c.own
	if s.signs.Load()&signUnregistered != 0 {
		s.register()
	}
	if s == own || l.stopping || s.Failed() || s.state == closed || !l.acquire() {
		return ErrClosed
	}
	own.reset()
	own.task, own.loop, own.fd, own.state = (*takenTask)(c), l, s.fd, taken
	own.outputArm = s.outputArm
	own.signs.Store(s.signs.Load() & signsOfSocket)
	own.extras.Store(s.extras.Swap(nil))
	if err := l.poller.move(int(s.fd), l.streams.add(own), s.outputArm); err != nil {
		l.streams.remove(own)
		l.release()
		return err
	}
	switch s.state {
	case detached: // s was an orphan already
	case shared:
		s.state = detached // likewise
		l.release()
	default:
		l.orphans++
	}
	if server := s.worker; server != nil && server.serving == s {
		server.serving = nil // if it loses its loop, no stream that it serves is to be detached
	}
	if w != nil {
		own.ensureExtras().taker.Store(w)
	}
	s.state = closed // own is the orphan now: to disown s changes nothing about their number
	s.disown()
	if own.transport = s.transport; own.transport != nil {
		own.transport.wire.stream.Store(own)
	}
	s.fd, s.worker, s.transport = -1, nil, nil
	s.dismiss(&s.input)
	s.dismiss(&s.output)
	l.wheel.remove(s)
	l.streams.remove(s)
	c.stream.Store(own)
	if c.closed() { // meanwhile, when there was nothing to unregister
		c.unregister(l)
	}
	return nil
}

// takeConn is Take in the portable driver.
func (c *Conn) takeConn(s *Stream) error {
	own := &c.own
	if s == own {
		return ErrClosed
	}
	own.reset()
	own.loop, own.transport, own.portable, own.state = s.loop, s.transport, true, taken
	own.signs.Store(s.signs.Load() & signsOfSocket)
	own.extras.Store(s.extras.Swap(nil))
	if !s.loop.group.hand(s, own) {
		return ErrClosed
	}
	s.state = closed
	own.transport.wire.stream.Store(own)
	_ = own.armConn(true)
	_ = own.armConn(false)
	c.stream.Store(own)
	return nil
}

// Leave says that the handler that took the Conn returns: from now on the Conn treats its worker
// like any other goroutine. The worker calls it.
func (c *Conn) Leave() {
	if r := c.own.extras.Load(); r != nil {
		r.taker.Store(nil)
	}
}

// begin lets the caller use the stream until end, unless the Conn is closed.
func (c *Conn) begin() bool {
	for {
		n := c.users.Load()
		if n&connClosed != 0 {
			return false
		}
		if c.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// end undoes begin; the last one after the closing closes what was taken.
func (c *Conn) end() {
	if c.users.Add(-1) != connClosed {
		return
	}
	if s := c.stream.Load(); s == &c.own && !s.portable {
		s.closeTLS()
		s.closeFD()
		s.loop.release()
	}
}

// shut marks the Conn closed and reports whether it was the first to do so.
func (c *Conn) shut() bool { return c.users.Or(connClosed)&connClosed == 0 }

func (c *Conn) closed() bool { return c.users.Load()&connClosed != 0 }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	if !c.begin() {
		return 0, ErrClosed
	}
	defer c.end()
	c.reading.Lock()
	defer c.reading.Unlock()
	s := c.stream.Load()
	switch {
	case s.overdue(&s.input):
		return 0, ErrDeadline
	case len(p) == 0:
		return 0, nil
	}
	return s.Read(p)
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.begin() {
		return 0, ErrClosed
	}
	defer c.end()
	c.writing.Lock()
	defer c.writing.Unlock()
	s := c.stream.Load()
	switch {
	case s.overdue(&s.output):
		return 0, ErrDeadline
	case len(p) == 0:
		return 0, nil
	}
	return s.Write(p)
}

// CloseWrite tells the peer that nothing more will be sent.
func (c *Conn) CloseWrite() error {
	if !c.begin() {
		return ErrClosed
	}
	defer c.end()
	c.stream.Load().halfClose(direct)
	return nil
}

// Close implements net.Conn. Calls under way fail with ErrClosed.
func (c *Conn) Close() error {
	if !c.shut() {
		return ErrClosed
	}
	defer c.end()
	s := c.stream.Load()
	switch {
	case s.portable:
		if s == &c.own {
			s.loop.group.drop(s)
			return s.transport.top().Close()
		}
		return s.transport.cut(s)
	case s != &c.own:
		s.cut()
		return nil
	}
	s.signs.Or(signFailed)
	s.wakeFromOutside(&s.input)
	s.wakeFromOutside(&s.output)
	if w := s.caller(); w != nil {
		if under := w.held != 0; w.enter() {
			c.unregister(w.loop)
			w.leave(under)
			return nil
		}
	}
	s.loop.Post(c.unregister) // when it fails, the loop's end has done it
	return nil
}

// Revoke closes a Conn that was lent, and leaves the connection alone: the owner is about to close
// the stream.
func (c *Conn) Revoke() {
	if c.shut() {
		c.end()
	}
}

// unregister takes the taken stream out of the loop, which must be held.
func (c *Conn) unregister(l *Loop) {
	if own := &c.own; own.state == taken {
		own.state = closed
		l.wheel.remove(own)
		l.streams.remove(own)
		l.orphans--
	}
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if !c.begin() {
		return ErrClosed
	}
	defer c.end()
	c.stream.Load().SetReadDeadline(t)
	return nil
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if !c.begin() {
		return ErrClosed
	}
	defer c.end()
	c.stream.Load().SetWriteDeadline(t)
	return nil
}

// LocalAddr implements net.Conn. The first call allocates.
func (c *Conn) LocalAddr() net.Addr { return c.addr(&c.local, (*Stream).localAddr) }

// RemoteAddr implements net.Conn. The first call allocates.
func (c *Conn) RemoteAddr() net.Addr { return c.addr(&c.remote, (*Stream).remoteAddr) }

// TLS returns the state of the connection's TLS, nil when it is plain or closed. It
// allocates.
func (c *Conn) TLS() *tls.ConnectionState {
	if !c.begin() {
		return nil
	}
	defer c.end()
	return c.stream.Load().TLS()
}

// addr looks an address up once; for a Conn that was closed before, nothing is known.
func (c *Conn) addr(known *net.Addr, ask func(*Stream) net.Addr) net.Addr {
	c.asking.Lock()
	defer c.asking.Unlock()
	switch {
	case *known != nil:
	case c.begin():
		*known = ask(c.stream.Load())
		c.end()
	default:
		return NetAddr(sys.Addr{})
	}
	return *known
}

// NetAddr returns a socket address as package net has it. It allocates.
func NetAddr(a sys.Addr) net.Addr {
	if a.IP.IsValid() {
		return net.TCPAddrFromAddrPort(a.IP)
	}
	return &net.UnixAddr{Name: a.Path, Net: "unix"}
}

// takenTask is the Task of a taken stream: a Conn as its loop sees it.
type takenTask Conn

// Serve implements Task; a taken stream is never at rest.
func (t *takenTask) Serve(*Worker, uint32) {}

// Expire implements Task; a taken stream is never at rest.
func (t *takenTask) Expire() {}

// HangUp implements Task; the reader will see.
func (t *takenTask) HangUp() {}

// Stop implements Task: the loop is ending.
func (t *takenTask) Stop() {
	c, s := (*Conn)(t), &t.own
	c.unregister(s.loop)
	s.signs.Or(signFailed)
	s.loop.wakeOrMark(&s.input)
	s.loop.wakeOrMark(&s.output)
	if c.shut() {
		c.end()
	}
}

var _ net.Conn = (*Conn)(nil)
