//go:build linux

// The end of a connection is sent together with the last bytes before it.

package engine_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gale-http/gale/engine"
)

// segmentsIn returns how many segments have come in on a connection.
func segmentsIn(t *testing.T, c net.Conn) uint32 {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	_ = raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	if err != nil {
		t.Fatal(err)
	}
	return info.Segs_in
}

// The last answer of a connection, its close_notify and the end of the stream are one segment.
func TestEndLeavesWithTheAnswer(t *testing.T) {
	const last = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	handler := routes(map[string]engine.Handler{"/hello": hello})
	plain, secure := start(t, drivers[0], handler), startTLS(t, drivers[0], handler)
	for name, dial := range map[string]func() (tcp net.Conn, c *client){
		"plain": func() (net.Conn, *client) { c := plain.dial(); return c.Conn, c },
		"TLS":   func() (net.Conn, *client) { c := secure.dialTLS(nil); return c.Conn.(*tls.Conn).NetConn(), c },
	} {
		t.Run(name, func(t *testing.T) {
			fewest := uint32(1 << 31)
			for range 16 { // an acknowledgement may come by itself
				tcp, c := dial()
				c.get("/hello", "hello")
				before := segmentsIn(t, tcp)
				c.send(last)
				if got := c.ended(); !strings.HasSuffix(got, "hello") {
					t.Fatalf("got %q", got)
				}
				fewest = min(fewest, segmentsIn(t, tcp)-before)
			}
			if fewest != 1 {
				t.Errorf("the last answer and its end took %d segments at best", fewest)
			}
		})
	}
}

// afterHello keeps all but the first of what is written back.
type afterHello struct{ held }

func (h *afterHello) Write(p []byte) (int, error) {
	n, err := h.held.Write(p)
	h.on = true
	return n, err
}

// A connection whose peer has sent nothing more is closed after its last answer, even where finding
// out takes a read; one whose peer has is read on for a while.
func TestOnlyMoreInputLingers(t *testing.T) {
	const last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	for _, test := range []struct {
		name, request, more, count string
		tls                        bool
	}{
		{"plain", last + "\r\n", "", "1", false},
		{"plain, and more", last + "\r\n", "more", "2", false},
		{"plain, a full buffer", last + "X: " + strings.Repeat("x", 8<<10-len(last)-7) + "\r\n\r\n", "", "1", false},
		{"plain, a full buffer and more", last + "X: " + strings.Repeat("x", 8<<10-len(last)-7) + "\r\n\r\n", "more", "2", false},
		{"TLS", last + "\r\n", "", "1", true},
		{"TLS, and a record more", last + "\r\n", "more", "2", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var over *server
			secure := prepareTLS(t, drivers[0], func(_ *engine.Request, res *engine.Response) {
				_ = res.EndString(fmt.Sprint(over.Connections()))
			})
			if over = secure.server; !test.tls {
				over.TLS = nil
			}
			over.listen()
			h := &afterHello{held{Conn: over.dial().Conn, on: !test.tls}}
			c := newClient(t, h)
			if test.tls {
				inside := tls.Client(h, secure.client)
				if err := inside.Handshake(); err != nil {
					t.Fatal(err)
				}
				c = newClient(t, inside)
			}
			c.send(test.request)
			if test.more != "" {
				c.send(test.more)
			}
			if _, err := h.Conn.Write(h.text); err != nil {
				t.Fatal(err)
			}
			if got := c.ended(); !strings.HasSuffix(got, "\r\n1") {
				t.Fatalf("got %q", got)
			}
			// It has not been closed on this side.
			if test.tls {
				secure.dialTLS(nil).get("/", test.count)
			} else {
				over.dial().get("/", test.count)
			}
		})
	}
}
