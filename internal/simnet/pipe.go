// A listener within the process, whose connections are not sockets: a server must serve them
// through net.Conn alone. A write ends when the peer has read it, so segments arrive exactly as
// they were sent.

package simnet

import (
	"net"
	"sync"
	"time"
)

// Listener is a net.Listener whose connections are pipes. Make it with Listen.
// Its methods may be called from any goroutine.
type Listener struct {
	queue  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Listen returns a new listener.
func Listen() *Listener {
	return &Listener{queue: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial connects to the listener and returns when it has accepted.
func (l *Listener) Dial() (net.Conn, error) {
	client, server := Pipe()
	select {
	case l.queue <- server:
		return client, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Err: net.ErrClosed}
	}
}

// Close implements net.Listener.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

// Pipe returns the two ends of a connection without a buffer. Unlike those of
// net.Pipe they can be closed by halves, with CloseWrite.
func Pipe() (net.Conn, net.Conn) {
	r1, w1 := net.Pipe()
	r2, w2 := net.Pipe()
	return &end{in: r1, out: w2}, &end{in: r2, out: w1}
}

// end is one end: a pipe for each direction.
type end struct{ in, out net.Conn }

func (e *end) Read(p []byte) (int, error)         { return e.in.Read(p) }
func (e *end) Write(p []byte) (int, error)        { return e.out.Write(p) }
func (e *end) CloseWrite() error                  { return e.out.Close() }
func (e *end) LocalAddr() net.Addr                { return pipeAddr{} }
func (e *end) RemoteAddr() net.Addr               { return pipeAddr{} }
func (e *end) SetReadDeadline(t time.Time) error  { return e.in.SetReadDeadline(t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.out.SetWriteDeadline(t) }

func (e *end) SetDeadline(t time.Time) error {
	if err := e.in.SetReadDeadline(t); err != nil {
		return err
	}
	return e.out.SetWriteDeadline(t)
}

func (e *end) Close() error {
	err := e.out.Close()
	if e2 := e.in.Close(); err == nil {
		err = e2
	}
	return err
}
