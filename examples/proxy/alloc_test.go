// Forwarding allocates nothing.
// (galedebug and the race detector add allocations of their own.)

//go:build !race && !galedebug

package main

import (
	"bytes"
	"fmt"
	"net"
	"runtime/debug"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// Forwarding a request and its response allocates nothing.
func TestAllocations(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // or it empties the pool of exchanges
	const head = "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: text/plain\r\nX-Other: 1\r\nContent-Length: 2\r\n"
	answer := func(n int) string {
		return head + "Date: Fri, 27 Nov 2026 08:00:0" + string(rune('0'+n)) + " GMT\r\n\r\nok"
	}
	get := "GET /a?b HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\nAccept: */*\r\nConnection: keep-alive\r\nX-Count: "
	cases := []struct{ name, request, answer string }{
		{"get", get + "%\r\n\r\n", answer(0)},
		{"post", "POST /a HTTP/1.1\r\nHost: a\r\nX-Count: %\r\nContent-Length: 5\r\n\r\nhello", answer(1)},
		{"not found", get + "%\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok"},
	}
	for i := range 3 * len(cases) {
		c, dispatch := cases[i/3], engine.Dispatch(i%3)
		t.Run(fmt.Sprint(c.name, ", dispatch ", dispatch), func(t *testing.T) {
			p := newProxy("http://" + simnet.Canned(t, c.answer))
			s := &engine.Server{Handler: p.serve, Loops: 1, Dispatch: dispatch}
			if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			defer p.agent.Destroy()
			defer s.Close()
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			request, buf := []byte(c.request), make([]byte, 4096)
			count := bytes.IndexByte(request, '%')
			n := testing.AllocsPerRun(1000, func() {
				request[count] = 'a' + (request[count]-'a'+1)%26 // no request is the last one again
				if _, err := conn.Write(request); err != nil {
					t.Fatal(err)
				}
				if n, err := conn.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\nok")) {
					t.Fatalf("%q, %v", buf[:n], err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations a request", n)
			}
		})
	}
}
