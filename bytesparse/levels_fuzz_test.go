// The levels against the oracle, and so against each other.

package bytesparse

import (
	"bytes"
	"fmt"
	"testing"
)

// FuzzLevels holds every level of this machine against the oracle, with nothing behind
// a message and with room there, which the walk in assembly wants: the verdict, the
// parts, and what Head says of its fields.
func FuzzLevels(f *testing.F) {
	for k, list := range samples {
		for _, s := range list {
			f.Add([]byte(s), uint8(k))
		}
	}
	f.Add([]byte(browserHead), uint8(request))
	f.Add([]byte(apiHead), uint8(request))
	f.Add([]byte(responseHead), uint8(response))
	f.Add([]byte("GET / HTTP/1.1\r\nA-Name-Of-More-Than-Thirty-Two-Bytes: a\r\nHost:b\r\nhOsT:\tc \r\nTE: \r\n\r\n\x7f"), uint8(request))
	f.Fuzz(func(t *testing.T, data []byte, how uint8) {
		k := kind(how % 3)
		want := judge(k, string(data))
		room := append(bytes.Clone(data), bytes.Repeat([]byte("\n"), 80)...)
		var first string
		withLevels(func(name string) {
			for _, b := range [][]byte{bytes.Clone(data), bytes.Clone(room)[:len(data)]} {
				h := Head{Fields: make([]Field, 0, 16)}
				n, err := map[kind]func([]byte, *Limits) (int, error){request: h.ParseRequest, response: h.ParseResponse, trailers: h.ParseTrailers}[k](b, nil)
				if n != want.n || (err != nil) != want.refused {
					t.Fatalf("%s: %v %q: %d, %v; the rules say %d, refused %v", name, k, data, n, err, want.n, want.refused)
				}
				said := fmt.Sprint(err)
				if n > 0 {
					said = fmt.Sprint(h.Fields, h.Size, h.Method, h.Minor, h.Status, h.Name, h.Target, h.Reason, h.seen, h.dup)
					for i, f := range want.fields {
						if i >= len(h.Fields) || string(h.Fields[i].NameOf(b)) != f[0] || string(h.Fields[i].ValueOf(b)) != f[1] || h.Fields[i].ID != LookupField(f[0]) {
							t.Fatalf("%s: %v %q: %+v, want %q", name, k, data, h.Fields, want.fields)
						}
					}
				}
				if first == "" {
					first = said
				}
				if said != first {
					t.Fatalf("%s: %v %q: %s, want %s", name, k, data, said, first)
				}
			}
		})
	})
}
