// Handlers that nobody would write: random calls in random order, the same ones under gale and
// under net/http.

package nethttp_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

// random does what the number in its query says. What it writes comes to less than
// either server's buffer, or to more than both: between them lies a difference.
func random(w http.ResponseWriter, r *http.Request) {
	var seed uint64
	_, _ = fmt.Sscan(r.URL.RawQuery, &seed)
	rnd := rand.New(rand.NewPCG(seed, 7))
	large := rnd.IntN(3) == 0
	h := w.Header()
	if rnd.IntN(4) == 0 {
		h.Set("Trailer", "X-Sum, X-None")
	}
	late := false // net/http forgets trailers that come up behind the first write of a short answer
	for range rnd.IntN(9) {
		op := rnd.IntN(14)
		late = late || 4 <= op && op <= 9
		switch op {
		case 0:
			h.Set("X-A", fmt.Sprint(rnd.IntN(9)))
		case 1:
			h.Add("X-B", strings.Repeat("b", rnd.IntN(40)))
		case 2:
			h.Del("X-A")
		case 3:
			h.Set("Content-Type", "text/x")
		case 4:
			w.WriteHeader([]int{200, 201, 204, 304, 404, 500}[rnd.IntN(6)])
		case 5, 6:
			_, _ = w.Write([]byte(strings.Repeat("w", rnd.IntN(150))))
		case 7:
			_, _ = io.WriteString(w, strings.Repeat("<s>", rnd.IntN(50)))
		case 8:
			w.(http.Flusher).Flush()
		case 9:
			_, _ = io.Copy(w, strings.NewReader(strings.Repeat("c", rnd.IntN(150))))
		case 10:
			h.Set("X-Sum", fmt.Sprint(rnd.IntN(9)))
		case 11:
			if !late {
				h.Set(http.TrailerPrefix+"X-Late", "1")
			}
		case 12:
			_, _ = r.Body.Read(make([]byte, rnd.IntN(8)))
		case 13:
			if rnd.IntN(3) == 0 {
				h.Set("Connection", "close")
			}
		}
	}
	if large {
		_, _ = io.WriteString(w, strings.Repeat("l", 9000))
	}
}

func TestRandomHandlers(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/probe" {
			site.ServeHTTP(w, r)
			return
		}
		random(w, r)
	})
	standard := serveStandard(t, h)
	eachDriver(t, func(t *testing.T, d driver) {
		s, _ := serve(t, d, h)
		for seed := range 300 {
			method := []string{"GET", "HEAD", "POST"}[seed%3]
			text := fmt.Sprintf("%s /?%d HTTP/1.1\r\nHost: a\r\n", method, seed)
			if method == "POST" {
				text += "Content-Length: 5\r\n\r\nhello"
			} else {
				text += "\r\n"
			}
			want := converse(t, standard, text, method)
			if got := converse(t, s.Addr().String(), text, method); got != want {
				t.Errorf("%d:\ngale:     %snet/http: %s", seed, got, want)
			}
		}
	})
}
