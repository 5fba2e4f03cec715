// Listeners and connections that are user code: their methods call functions.

package engine_test

import (
	"net"
	"sync/atomic"
	"time"
)

// userListener is a listener whose methods call functions first; a nil function does nothing. What
// it accepts, conn turns into what it hands out, unless that is nil.
type userListener struct {
	net.Listener
	accept, close, addr func()
	conn                func(net.Conn) net.Conn
}

func (l userListener) Accept() (net.Conn, error) {
	do(l.accept)
	c, err := l.Listener.Accept()
	if err != nil || l.conn == nil {
		return c, err
	}
	return l.conn(c), nil
}

func (l userListener) Close() error {
	do(l.close)
	return l.Listener.Close()
}

func (l userListener) Addr() net.Addr {
	do(l.addr)
	return l.Listener.Addr()
}

func do(fn func()) {
	if fn != nil {
		fn()
	}
}

// userConn is a connection that calls functions, unless they are nil, before and after its methods.
type userConn struct {
	net.Conn
	before, after func(method string)
}

// in returns a function for before or after that calls fn for one method.
func in(method string, fn func()) func(string) {
	return func(called string) {
		if called == method {
			fn()
		}
	}
}

// around calls before, and returns after to be called.
func (c userConn) around(method string) (after func()) {
	if c.before != nil {
		c.before(method)
	}
	return func() {
		if c.after != nil {
			c.after(method)
		}
	}
}

func (c userConn) Read(p []byte) (int, error) {
	defer c.around("Read")()
	return c.Conn.Read(p)
}

func (c userConn) Write(p []byte) (int, error) {
	defer c.around("Write")()
	return c.Conn.Write(p)
}

func (c userConn) Close() error {
	defer c.around("Close")()
	return c.Conn.Close()
}

func (c userConn) SetReadDeadline(at time.Time) error {
	defer c.around("SetReadDeadline")()
	return c.Conn.SetReadDeadline(at)
}

// plainConn hides the socket of a net.Conn, so that no loop can take it.
type plainConn struct{ net.Conn }

// armed returns a listener that gives the functions of next to the first connection that comes once
// they are there.
func armed(l net.Listener, next *atomic.Pointer[userConn]) userListener {
	return userListener{Listener: l, conn: func(c net.Conn) net.Conn {
		if bad := next.Swap(nil); bad != nil {
			return userConn{c, bad.before, bad.after}
		}
		return plainConn{c}
	}}
}
