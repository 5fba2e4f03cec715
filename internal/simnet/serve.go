// Servers of a few lines.

package simnet

import (
	"bytes"
	"io"
	"net"
	"testing"
)

// Canned is Serve with the same answer to each read, whatever was read, without allocating: what is
// measured beside it is the caller's.
func Canned(t testing.TB, answer string) (addr string) {
	t.Helper()
	return Serve(t, func(c net.Conn) { repeat(c, []byte(answer)) })
}

// Serve starts a server on a free port of 127.0.0.1 and returns its address. Until the test ends,
// serve is called for each connection, on a goroutine of its own, and the connection is closed
// afterwards.
func Serve(t testing.TB, serve func(c net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// Pair returns the two ends of a TCP connection over loopback, and closes them with the test.
func Pair(t testing.TB) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// ReadHead reads a head, and nothing behind it, and returns as much of it as there is: all of it,
// if it is complete.
func ReadHead(r io.Reader) string {
	var head []byte
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); {
		if _, err := r.Read(b); err != nil {
			break
		}
		head = append(head, b[0])
	}
	return string(head)
}

func repeat(c net.Conn, answer []byte) {
	buf := make([]byte, 4096)
	for {
		if _, err := c.Read(buf); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
