// The Socket: the connection under a request, as a net.Conn.
//
//	attached ──▶ lent ──▶ attached     the server's: addresses, deadlines, Close;
//	    │                              while lent to an event, Read and Write as well
//	    ├──────▶ taken                 the holder's, for as long as it likes
//	    └──────▶ closed                closed by the server

package engine

import (
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

// Errors of using and taking over connections.
var (
	// ErrHijacked is returned by the methods of a request and a response whose connection has been
	// taken over.
	ErrHijacked = errors.New("gale: the connection was taken over")
	// ErrAttached is returned by Read and Write of a Socket that is still the server's.
	ErrAttached = errors.New("gale: the server reads and writes this connection: Hijack takes it over")
)

// Socket is the connection of a request (seed: message.connection, net.Socket). It is a net.Conn;
// any number of goroutines may use it at the same time.
//
// A Socket obtained from Connect, Upgrade or Hijack belongs to its holder. The server's timeouts do
// not apply to it and Shutdown does not wait for it; the holder closes it, and so do Close of the
// server and the end of Shutdown. While the handler that took it over runs, its waits suspend the
// handler instead of blocking the loop. Waits of other goroutines, which may go on after the
// handler has returned, take no thread.
//
// Any other Socket belongs to the server. It gives the addresses and the TLS state, and its Close
// cuts the connection. Read and Write are for the event that it was passed to, until that returns,
// which makes those under way on other goroutines fail with ErrOver; elsewhere they fail with
// ErrAttached. It may be kept: once the connection has gone, the methods that return an error return
// ErrClosed.
//
// Read and Write do not allocate. They return the same kinds of errors as package net:
// net.ErrClosed, os.ErrDeadlineExceeded as a net.Error, io.EOF; and over TLS, unless it is the
// listener's, io.ErrUnexpectedEOF when the connection ends without a close_notify from the client.
type Socket struct {
	conn  *loop.Conn
	state atomic.Int32
	mu    sync.Mutex // held to use conn while the connection is the server's

	inside atomic.Int32  // calls of Read, Write and CloseWrite under way; and awaited
	left   chan struct{} // signalled when the last of those that are awaited has ended, perhaps too late
}

// awaited is the bit of Socket.inside that is set while the end of a loan waits for such calls.
const awaited = 1 << 30

const (
	attached = iota
	lent
	taken
	closed
)

// Hijack takes the connection over from inside a handler, as http.Hijacker does. The connection is
// then the caller's. head is a copy of the bytes that have been read from it and not used,
// including the rest of the request's body. What was written of the response before is sent first;
// from then on the methods of request and response fail with ErrHijacked. Any goroutine may call it
// before the handler returns.
//
// It fails with ErrBusy while any goroutine is in a method that reads the body, or another
// goroutine in one that sends (SetReadDeadline and SetWriteDeadline end such waits); with ErrClosed
// when the server is closing; and if the response or the connection has failed.
func (r *Response) Hijack() (socket *Socket, head []byte, err error) {
	r.x.check("Hijack")
	err = r.x.exclusively(func() (err error) {
		socket, head, err = r.x.hijack()
		return err
	})
	return socket, head, err
}

// socket returns the Socket of the connection, which must be alive.
func (c *conn) socket() *Socket {
	x := c.extra()
	if s := x.socket.Load(); s != nil {
		return s
	}
	s := &Socket{conn: loop.NewConn(&c.Stream)}
	if !x.socket.CompareAndSwap(nil, s) {
		s = x.socket.Load()
	}
	return s
}

// take makes the socket the holder's.
func (s *Socket) take() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.Take(); err != nil {
		return err
	}
	s.state.Store(taken)
	runtime.AddCleanup(s, func(c *loop.Conn) { _ = c.Close() }, s.conn) // for a holder that forgets to close it
	return nil
}

// lend lets Read and Write work until endLoan.
func (s *Socket) lend() { s.state.CompareAndSwap(attached, lent) }

// endLoan makes the connection the server's again. Calls of Read and Write that goroutines of the
// event have left behind fail, and are awaited. It is a part of the event.
func (x *responder) endLoan(s *Socket) {
	s.state.CompareAndSwap(lent, attached)
	if s.inside.Load() == 0 { // whoever enters from here on sees the state
		return
	}
	if s.left == nil { // whoever was the last to leave after another event may still be about to use it
		s.left = make(chan struct{}, 1)
	}
	s.inside.Or(awaited)
	x.conn.Bar()
	for s.inside.Load() != awaited {
		<-s.left
	}
	x.conn.Unbar()
	s.inside.And(^awaited)
}

// enter returns the connection, which the caller may read and write until leave.
func (s *Socket) enter() (*loop.Conn, error) {
	s.inside.Add(1)
	switch s.state.Load() {
	case attached:
		s.leave()
		return nil, ErrAttached
	case closed:
		s.leave()
		return nil, ErrClosed
	}
	return s.conn, nil
}

func (s *Socket) leave() {
	if s.inside.Add(-1) == awaited {
		select {
		case s.left <- struct{}{}:
		default:
		}
	}
}

// revoke tells the socket that the server is closing its connection, unless that was taken over.
func (s *Socket) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != taken {
		s.state.Store(closed)
		s.conn.Revoke()
	}
}

// withConn calls do with the connection, which does not go away meanwhile.
func (s *Socket) withConn(do func(*loop.Conn) error) error {
	if s.state.Load() == taken {
		defer runtime.KeepAlive(s)
		return do(s.conn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == closed {
		return ErrClosed
	}
	return do(s.conn)
}

// Read implements net.Conn.
func (s *Socket) Read(p []byte) (int, error) {
	c, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	return c.Read(p)
}

// Write implements net.Conn.
func (s *Socket) Write(p []byte) (int, error) {
	c, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave()
	return c.Write(p)
}

// Close implements net.Conn. If the connection is the server's, it is cut: what the server has not
// sent yet is lost, and the server notices that the connection has failed.
func (s *Socket) Close() error {
	return s.withConn(func(c *loop.Conn) error {
		if s.state.Load() != taken {
			s.state.Store(closed)
		}
		return c.Close()
	})
}

// cut is Close, unless the connection has been taken over.
func (s *Socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != taken && s.state.Swap(closed) != closed {
		_ = s.conn.Close()
	}
}

// CloseWrite tells the peer that nothing more will be sent; over TLS, with a close_notify.
func (s *Socket) CloseWrite() error {
	c, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return c.CloseWrite()
}

// SetDeadline implements net.Conn.
func (s *Socket) SetDeadline(t time.Time) error {
	return s.withConn(func(c *loop.Conn) error { return c.SetDeadline(t) })
}

// SetReadDeadline implements net.Conn.
func (s *Socket) SetReadDeadline(t time.Time) error {
	return s.withConn(func(c *loop.Conn) error { return c.SetReadDeadline(t) })
}

// SetWriteDeadline implements net.Conn.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	return s.withConn(func(c *loop.Conn) error { return c.SetWriteDeadline(t) })
}

// LocalAddr implements net.Conn: the address of the server's end. The first call on
// a connection allocates.
func (s *Socket) LocalAddr() net.Addr { return s.addr((*loop.Conn).LocalAddr) }

// RemoteAddr implements net.Conn: the address of the client. The first call on a
// connection allocates.
func (s *Socket) RemoteAddr() net.Addr { return s.addr((*loop.Conn).RemoteAddr) }

func (s *Socket) addr(of func(*loop.Conn) net.Addr) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return of(s.conn)
}

// TLS returns the state of the TLS connection, nil when there is none (seed:
// getPeerCertificate and the like). It allocates.
func (s *Socket) TLS() *tls.ConnectionState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn.TLS()
}

var _ net.Conn = (*Socket)(nil)
