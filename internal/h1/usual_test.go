// What a Conn says about a request does not depend on the way it took: a request that comes whole,
// and has nothing unusual about it, takes a short one.

package h1

import (
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// about is what a Conn says about a request without a body.
type about struct {
	usual, keep, upgrade, tunnel bool
	method                       bytesparse.Method
	minor                        uint8
	framing                      BodyFraming
}

func TestUsual(t *testing.T) {
	const get = bytesparse.MethodGet
	cases := []struct {
		start, fields string
		want          about
	}{
		{"GET / HTTP/1.1", "Host: a.example", about{usual: true, keep: true, method: get, minor: 1}},
		{"BREW / HTTP/1.1", "Host: a.example", about{usual: true, keep: true, minor: 1}},
		{"GET / HTTP/1.9", "Host: a.example", about{usual: true, keep: true, method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nConnection: Keep-Alive", about{usual: true, keep: true, method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nConnection: x\r\nConnection: keep-alive", about{usual: true, keep: true, method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nConnection: close", about{method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nConnection: keep-alive\r\nConnection: close", about{method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nConnection: upgrade\r\nUpgrade: x", about{keep: true, upgrade: true, method: get, minor: 1}},
		{"HEAD / HTTP/1.1", "Host: a.example", about{keep: true, method: bytesparse.MethodHead, minor: 1}},
		{"CONNECT a:80 HTTP/1.1", "Host: a.example", about{tunnel: true, method: bytesparse.MethodConnect, minor: 1}},
		{"GET / HTTP/1.0", "Host: a.example", about{method: get}},
		{"GET / HTTP/1.0", "Host: a.example\r\nConnection: keep-alive", about{keep: true, method: get}},
		{"GET / HTTP/1.0", "Host: a.example\r\nConnection: upgrade\r\nUpgrade: x", about{method: get}},
		{"OPTIONS * HTTP/1.1", "Host: a.example", about{keep: true, method: bytesparse.MethodOptions, minor: 1}},
		{"GET http://b.example/ HTTP/1.1", "Host: a.example", about{keep: true, method: get, minor: 1}},
		{"GET / HTTP/1.1", "Host: a.example\r\nContent-Length: 0", about{keep: true, method: get, minor: 1, framing: Length}},
	}
	var h bytesparse.Head
	for _, before := range append(cases[:3:3], cases[8], cases[15]) { // those that something may follow
		for _, c := range cases {
			for _, whole := range []bool{true, false} {
				var conn Conn
				text := before.start + "\r\n" + before.fields + "\r\n\r\n"
				if n, ev, err := conn.NextHead([]byte(text), false, &h, nil); n != len(text) || ev != HeadDone || err != nil || !conn.Done() {
					t.Fatalf("%q: %d, %v, %v", text, n, ev, err)
				}
				text = c.start + "\r\n" + c.fields + "\r\n\r\n"
				for n := 1; n < len(text) && !whole; n++ {
					if n, ev, err := conn.NextHead([]byte(text[:n]), false, &h, nil); n != 0 || ev != NeedMore || err != nil {
						t.Fatalf("%q: %d, %v, %v", text, n, ev, err)
					}
				}
				if n, ev, err := conn.NextHead([]byte(text), false, &h, nil); n != len(text) || ev != HeadDone || err != nil {
					t.Fatalf("%q: %d, %v, %v", text, n, ev, err)
				}
				got := about{conn.Usual(), conn.KeepAlive(), conn.Upgrade(), conn.Tunnel(), conn.Method(), conn.Minor(), conn.Framing()}
				if got != c.want {
					t.Errorf("%q, whole %v, behind %q: %+v, want %+v", text, whole, before.start, got, c.want)
				}
			}
		}
	}
}
