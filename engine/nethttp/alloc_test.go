//go:build !galedebug

// What a request costs in allocations, beside what it costs under net/http's own
// server.

package nethttp_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// allocations returns how many allocations the answer to a request takes.
func allocations(t testing.TB, addr, request string, answer int) float64 {
	c := dial(t, addr)
	buf := make([]byte, answer)
	round := func() {
		send(t, c, request)
		if _, err := io.ReadFull(c, buf); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		round()
	}
	const rounds = 2000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		round()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / rounds
}

// TestAllocations: fewer than net/http.
func TestAllocations(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "hello")
	})
	const answer = len("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 5\r\n\r\nhello")
	for name, request := range map[string]string{
		"plain": "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
		"browser": "GET /hello?a=b HTTP/1.1\r\nHost: a.example\r\n" + strings.ReplaceAll("User-Agent: Mozilla/5.0\nAccept: text/html\nAccept-Language: en\n"+
			"Accept-Encoding: gzip\nReferer: http://a.example/\nCookie: a=b; c=d\nSec-Fetch-Site: same-origin\nCache-Control: max-age=0\n\n", "\n", "\r\n"),
	} {
		s, _ := serve(t, drivers[0], h)
		gale := allocations(t, s.Addr().String(), request, answer)
		standard := allocations(t, serveStandard(t, h), request, answer)
		t.Logf("%s: %.1f allocations, net/http %.1f", name, gale, standard)
		if gale >= standard {
			t.Errorf("%s: %.1f allocations, net/http %.1f", name, gale, standard)
		}
	}
}
