// Interim responses that do not leave whole.

package engine_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

// TestContinueCutShort: when only a part of a 100 has been sent, because the rest took too long,
// no response follows it.
func TestContinueCutShort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := prepare(t, drivers[len(drivers)-1], func(req *engine.Request, res *engine.Response) {
		if _, err := io.ReadAll(req); err == nil {
			t.Error("the body was read")
		}
		_ = res.EndString("answer")
	})
	go func() {
		_ = s.Serve(userListener{Listener: l, conn: func(c net.Conn) net.Conn { return slowConn{c} }})
	}()
	c := dialTo(t, "tcp", l.Addr().String())
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
	if got := c.cut(); strings.Contains(got, "answer") {
		t.Errorf("the client got %q", got)
	}
}

// slowConn takes part of a 100 only.
type slowConn struct{ net.Conn }

func (c slowConn) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), "HTTP/1.1 100") {
		n, _ := c.Conn.Write(p[:5])
		return n, os.ErrDeadlineExceeded
	}
	return c.Conn.Write(p)
}
