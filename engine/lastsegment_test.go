//go:build linux

// The end of a connection leaves with the last bytes before it.

package engine_test

import (
	"crypto/tls"
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

// An answer that is the last of its connection, TLS's word that it is, and the end of the
// stream are one segment.
func TestEndLeavesWithTheAnswer(t *testing.T) {
	const last = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	handler := routes(map[string]engine.Handler{"/hello": hello})
	plain, secure := start(t, drivers[0], handler), startTLS(t, drivers[0], handler)
	for name, dial := range map[string]func() (tcp net.Conn, c *client){
		"plain": func() (net.Conn, *client) { c := plain.dial(); return c.Conn, c },
		"TLS": func() (net.Conn, *client) {
			c := secure.dialTLS(nil)
			return c.Conn.(*tls.Conn).NetConn(), c
		},
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
