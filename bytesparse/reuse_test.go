// Reusing a Head: nothing recorded about one message is reported for the next.

package bytesparse

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestIndexOfEachHead(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 4))
		var h Head
		for round := range 2000 {
			lines, start := rng.IntN(12), rng.IntN(3)
			first := make(map[FieldID]int)
			var text strings.Builder
			text.WriteString([]string{"GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", "BREW / HTTP/1.0\r\n"}[start])
			for i := range lines {
				id := FieldID(rng.IntN(int(numFieldIDs)))
				name := id.String()
				if id == FieldOther {
					name = "x-other"
				}
				if _, have := first[id]; !have {
					first[id] = i
				}
				fmt.Fprintf(&text, "%s: %d\r\n", name, i)
			}
			text.WriteString("\r\n")
			b := []byte(text.String())
			parse := h.ParseRequest
			if start == 1 {
				parse = h.ParseResponse
			}
			if n, err := parse(b, nil); n != len(b) || err != nil {
				t.Fatalf("%q: %d, %v", b, n, err)
			}
			if start == 1 && (h.Method != 0 || h.Name.Len+h.Target.Len != 0) || start != 1 && (h.Status != 0 || h.Reason.Len != 0) {
				t.Fatalf("%q: what is said of its start line is another's: %+v", b, h)
			}
			for id := range numFieldIDs {
				want, have := first[id]
				if !have {
					want = -1
				}
				if got := h.Find(id); got != want {
					t.Fatalf("%q: %q is found at %d, want %d", b, id, got, want)
				}
				if round%4 > 1 {
					continue
				}
				if got := h.Index(id); got != want {
					t.Fatalf("%q: %q is at %d, want %d", b, id, got, want)
				}
				if round%2 == 0 { // look-ups of all, or of one
					break
				}
			}
		}
	})
}

// Only the Host that was valid last is accepted without being checked.
func TestValidHostOfEachHead(t *testing.T) {
	hosts := []string{"", "a", "localhost", "localhost:80", "localhosu:80", "www.example.com:8080", "www.example.org:8080",
		"www.examp\\e.com:8080", "www.example.com:80800", strings.Repeat("a.", 16), strings.Repeat("a.", 17), "user@example.com", "[::1]:80"}
	rng := rand.New(rand.NewPCG(5, 6))
	var h Head
	for range 5000 {
		host := hosts[rng.IntN(len(hosts))]
		b := []byte("GET / HTTP/1.1\r\nAccept: a\r\nHost: " + host + "\r\n\r\n")
		if rng.IntN(2) == 0 {
			b = []byte("GET / HTTP/1.1\r\nHost: " + host + "\r\nX-Behind: b\r\n\r\n")
		}
		if i := rng.IntN(2*len(host) + 1); i < len(host) && rng.IntN(2) == 0 {
			b[strings.Index(string(b), "Host: ")+6+i] = "a@0:/"[rng.IntN(5)] // one byte is another
		}
		if n, err := h.ParseRequest(b, nil); n != len(b) || err != nil {
			t.Fatalf("%q: %d, %v", b, n, err)
		}
		known, value := h.KnownHost(b), h.Value(b, FieldHost)
		want := ValidHost(value)
		if got := h.ValidHost(b); got != want || known && !want {
			t.Fatalf("%q: %v, and known %v; want %v", value, got, known, want)
		}
		if want && len(value) >= 8 && len(value) <= 32 && !h.KnownHost(b) {
			t.Fatalf("%q is not known, just found to be valid", value)
		}
	}
	for n := 33; n < 48; n++ { // longer than what is remembered, the same at both ends
		for _, host := range []string{string(filled(32, 'a')), string(filled(16, 'a')) + "@" + string(filled(n-17, 'a'))} {
			b := []byte("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
			if _, err := h.ParseRequest(b, nil); err != nil || len(host) == n && h.KnownHost(b) || h.ValidHost(b) != (len(host) == 32) {
				t.Fatalf("%q: %v, or not judged right", host, err)
			}
		}
	}
	const once = "GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n"
	for _, text := range []string{"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nExpect: localhost:80\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost:80\r\nHost: localhost:80\r\n\r\n"} {
		if n, _ := h.ParseRequest([]byte(once), nil); n != len(once) || !h.ValidHost([]byte(once)) || !h.KnownHost([]byte(once)) {
			t.Errorf("%q: no valid host", once)
		}
		if _, err := h.ParseRequest([]byte(text), nil); err != nil || h.KnownHost([]byte(text)) || h.ValidHost([]byte(text)) {
			t.Errorf("%q: %v, or a valid host", text, err)
		}
	}
}
