// The levels against the oracle, and so against each other.

package bytesparse

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzLevels compares every level of this machine with the oracle, both with nothing after the
// message and with the room there that the walk in assembly needs: the verdict, the parts, and
// what Head reports about its fields.
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
		var first said
		withLevels(func(name string) {
			for _, b := range [][]byte{bytes.Clone(data), bytes.Clone(room)[:len(data)]} {
				o := said{h: Head{Fields: make([]Field, 0, 16)}}
				h := &o.h
				switch k {
				case request:
					o.n, o.err = h.ParseRequest(b, nil)
				case response:
					o.n, o.err = h.ParseResponse(b, nil)
				default:
					o.n, o.err = h.ParseTrailers(b, nil)
				}
				if o.n != want.n || (o.err != nil) != want.refused {
					t.Fatalf("%s: %v %q: %d, %v; the rules say %d, refused %v", name, k, data, o.n, o.err, want.n, want.refused)
				}
				for i, f := range want.fields { // none when n is 0
					if i >= len(h.Fields) || string(h.Fields[i].NameOf(b)) != f[0] || string(h.Fields[i].ValueOf(b)) != f[1] || h.Fields[i].ID != LookupField(f[0]) {
						t.Fatalf("%s: %v %q: %+v, want %q", name, k, data, h.Fields, want.fields)
					}
				}
				if first.name == "" {
					first, first.name = o, name
				}
				if !o.same(&first) {
					t.Fatalf("%s: %v %q: %+v; %s says %+v", name, k, data, o, first.name, first)
				}
			}
		})
	})
}

// said is the outcome of a parse at one level.
type said struct {
	name string
	h    Head
	n    int
	err  error
}

// same reports whether two levels say the same of a message.
func (o *said) same(p *said) bool {
	if o.n == 0 || p.n == 0 {
		return o.n == p.n && (o.err == nil) == (p.err == nil) && (o.err == nil || *o.err.(*Error) == *p.err.(*Error))
	}
	g, h := &o.h, &p.h
	return o.n == p.n && g.Size == h.Size && g.Method == h.Method && g.Minor == h.Minor && g.Status == h.Status && g.Name == h.Name &&
		g.Target == h.Target && g.Reason == h.Reason && g.seen == h.seen && g.dup == h.dup && slices.Equal(g.Fields, h.Fields)
}
