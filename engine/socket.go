// Socket: the connection under a request, as a net.Conn.
//
//	attached ──▶ lent ──▶ attached     the server's: addresses, deadlines, Close;
//	    │                              while lent to an event, Read and Write as well
//	    ├──────▶ own                   taken over: the holder's, for as long as it likes
//	    └──────▶ gone                  closed by the server

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

// Errors about taking a connection over.
var (
	// ErrHijacked is returned by the methods of a request and a response whose
	// connection was taken over.
	ErrHijacked = errors.New("gale: the connection was taken over")
	// ErrAttached is returned by Read and Write of a Socket that is still the server's.
	ErrAttached = errors.New("gale: the server reads and writes this connection: Hijack takes it over")
)

// Socket is the connection of a request (seed: message.connection, net.Socket). It is
// a net.Conn: any goroutine may use it, several at once.
//
// The Socket that Connect, Upgrade and Hijack give is the holder's. It has nothing to
// do with the server's timeouts and is not waited for by Shutdown; whoever holds it
// closes it, and Close of the server does, Shutdown at its end. A handler that uses
// it before it returns suspends instead of blocking the loop, and so do the waits of
// goroutines cost no thread: they may go on when the handler has returned.
//
// Any other Socket is the server's. It tells the addresses and the TLS state, its
// Close cuts the connection, and Read and Write are for the events that it was given
// to, until they return; elsewhere they fail with ErrAttached. It may be kept: when
// the connection has gone it says so.
//
// Read and Write do not allocate. Errors are those of package net in kind:
// net.ErrClosed, os.ErrDeadlineExceeded as a net.Error, io.EOF; over TLS, unless it is the
// listener's, io.ErrUnexpectedEOF where the client has not said, by a close_notify, that it ends.
type Socket struct {
	conn  *loop.Conn
	state atomic.Int32
	mu    sync.Mutex // while it is the server's: held by who touches conn
}

const (
	attached = iota
	lent
	own
	gone
)

// Hijack takes the connection over from inside a handler, as http.Hijacker does: it is
// the caller's, with head, a copy of what has been read of it and not used, the rest of
// the request's body included. What was written of the response before is sent first;
// from then on the methods of request and response fail with ErrHijacked. Any
// goroutine may call it before the handler returns. It fails with ErrBusy while anyone
// is in a method that reads the body, or somebody else in one that sends (what waits
// there ends when SetReadDeadline or SetWriteDeadline says so), with ErrClosed when the
// server is closing, and where the answer or the connection has failed.
func (r *Response) Hijack() (socket *Socket, head []byte, err error) {
	r.x.check("Hijack")
	err = r.x.both(func() (err error) {
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
	s.state.Store(own)
	runtime.AddCleanup(s, func(c *loop.Conn) { _ = c.Close() }, s.conn) // who forgets it
	return nil
}

// lend has Read and Write work until attach.
func (s *Socket) lend() { s.state.CompareAndSwap(attached, lent) }

func (s *Socket) attach() { s.state.CompareAndSwap(lent, attached) }

// leave tells the socket that its connection is being closed by the server, if it is
// the server's still.
func (s *Socket) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != own {
		s.state.Store(gone)
		s.conn.Revoke()
	}
}

// stream returns what may be read and written.
func (s *Socket) stream() (*loop.Conn, error) {
	switch s.state.Load() {
	case attached:
		return nil, ErrAttached
	case gone:
		return nil, ErrClosed
	}
	return s.conn, nil
}

// touch calls do with the connection, which does not go away meanwhile.
func (s *Socket) touch(do func(*loop.Conn) error) error {
	if s.state.Load() == own {
		defer runtime.KeepAlive(s)
		return do(s.conn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == gone {
		return ErrClosed
	}
	return do(s.conn)
}

// Read implements net.Conn.
func (s *Socket) Read(p []byte) (int, error) {
	defer runtime.KeepAlive(s)
	c, err := s.stream()
	if err != nil {
		return 0, err
	}
	return c.Read(p)
}

// Write implements net.Conn.
func (s *Socket) Write(p []byte) (int, error) {
	defer runtime.KeepAlive(s)
	c, err := s.stream()
	if err != nil {
		return 0, err
	}
	return c.Write(p)
}

// Close implements net.Conn. The server's connection is cut: what the server has not
// sent is lost, and it finds out.
func (s *Socket) Close() error {
	return s.touch(func(c *loop.Conn) error {
		if s.state.Load() != own {
			s.state.Store(gone)
		}
		return c.Close()
	})
}

// cut is Close unless the connection was taken over.
func (s *Socket) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != own && s.state.Swap(gone) != gone {
		_ = s.conn.Close()
	}
}

// CloseWrite tells the peer that nothing more will be sent; over TLS with a
// close_notify.
func (s *Socket) CloseWrite() error {
	c, err := s.stream()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(s)
	return c.CloseWrite()
}

// SetDeadline implements net.Conn.
func (s *Socket) SetDeadline(t time.Time) error {
	return s.touch(func(c *loop.Conn) error { return c.SetDeadline(t) })
}

// SetReadDeadline implements net.Conn.
func (s *Socket) SetReadDeadline(t time.Time) error {
	return s.touch(func(c *loop.Conn) error { return c.SetReadDeadline(t) })
}

// SetWriteDeadline implements net.Conn.
func (s *Socket) SetWriteDeadline(t time.Time) error {
	return s.touch(func(c *loop.Conn) error { return c.SetWriteDeadline(t) })
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
