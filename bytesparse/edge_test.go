package bytesparse

import (
	"fmt"
	"strings"
	"testing"
)

// Ends of words and blocks: bytes after the slice must not count, and no name is too long
// to be checked.

// TestPrefixInPlace truncates a head in place, so that the missing bytes directly follow
// the slice.
func TestPrefixInPlace(t *testing.T) {
	var h Head
	for _, s := range []string{browserHead, tinyHead, "GET / HTTP/1.1\r\n\r\n", "PUT /a HTTP/1.1\r\nA: b\r\nHost:\r\nTE: \t\r\n\r\n"} {
		b := []byte(s)
		fields := strings.Index(s, "\r\n") + 2
		for n := range b {
			if got, err := h.ParseRequest(b[:n], nil); got != 0 || err != nil {
				t.Fatalf("%q: %d, %v", b[:n], got, err)
			}
			if n < fields {
				continue
			}
			if got, err := h.ParseTrailers(b[fields:n], nil); got != 0 || err != nil {
				t.Fatalf("%q: %d, %v", b[fields:n], got, err)
			}
		}
		if n, err := h.ParseRequest(b, nil); n != len(b) || err != nil {
			t.Fatalf("%q: %d, %v", b, n, err)
		}
	}
}

// TestNamesOfEveryLength puts an invalid byte at every position of names of every length,
// beginning at every position of a word.
func TestNamesOfEveryLength(t *testing.T) {
	var h Head
	for n := 1; n <= 140; n++ {
		for at := range 9 {
			b := fmt.Appendf(nil, "GET /%s HTTP/1.1\r\n%s: v\r\n\r\n", strings.Repeat("t", at), strings.Repeat("n", n))
			name := b[len(b)-n-len(": v\r\n\r\n"):][:n]
			if got, err := h.ParseRequest(b, nil); got != len(b) || len(h.Fields) != 1 || int(h.Fields[0].NameLen) != n {
				t.Fatalf("%q: %d, %v", b, got, err)
			}
			for i := range name {
				name[i] = '('
				_, err := h.ParseRequest(b, nil)
				if e, ok := err.(*Error); !ok || e.Reason != ReasonFieldName || e.Offset != len(b)-len(": v\r\n\r\n")-n+i {
					t.Fatalf("%q: %v", b, err)
				}
				name[i] = 'n'
			}
		}
	}
}
