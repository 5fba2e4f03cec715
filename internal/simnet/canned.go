// A server that has one answer to everything: what is measured beside it is the caller's.

package simnet

import (
	"net"
	"testing"
)

// Canned starts a server on a free port of 127.0.0.1 and returns its address. It gives the same
// answer to whatever comes, one a read, without allocating, until the test ends.
func Canned(t testing.TB, answer string) (addr string) {
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
			go repeat(c, []byte(answer))
		}
	}()
	return l.Addr().String()
}

func repeat(c net.Conn, answer []byte) {
	defer c.Close()
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
