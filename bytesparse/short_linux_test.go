//go:build !purego && amd64

package bytesparse

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The walk over short heads against the rules, and against the walk over heads of any length.

var shortHeads = []string{
	"GET /hello HTTP/1.1\r\nHost: localhost:8080\r\n\r\n",
	"GET / HTTP/1.1\r\n\r\n",
	"POST /a?b=%20 HTTP/1.0\r\nhost: h\r\nTE: a b\r\nHost: c\r\n\r\n",
	"PUT / HTTP/1.1\r\na: b\r\nc: d\r\nf: g\r\n\r\n",
	"GET /" + strings.Repeat("t", 30) + " HTTP/1.1\r\nTE: b\r\n\r\n",
	"GET / HTTP/1.1\r\n" + strings.Repeat("n", 31) + ": b\r\n\r\n",
}

// shortRoom returns m with just as many bytes behind it as the walk may load: fill, over and over.
func shortRoom(page []byte, fill string, m []byte) []byte {
	b := page[len(page)-96:]
	for i := range b {
		b[i] = fill[i%len(fill)]
	}
	return b[:copy(b, m)]
}

// checkShort compares the verdict on b with that of the rules, and what is said of its parts with what
// the other walk says.
func checkShort(t *testing.T, b []byte) {
	t.Helper()
	want := judge(request, string(b))
	used := Head{Size: 1, Method: 2, Minor: 3, Status: 4, Name: Span{5, 6}, Target: Span{7, 8}, Reason: Span{9, 10}, seen: 11, dup: 12}
	short, long := said{h: used}, said{h: used}
	short.h.Fields, long.h.Fields = make([]Field, 0, shortFields), make([]Field, 0, shortFields-1)
	for _, o := range []*said{&short, &long} {
		if o.n, o.err = o.h.ParseRequest(b, nil); o.n != want.n || (o.err != nil) != want.refused {
			t.Fatalf("%q: %d, %v; the rules say %d, refused %v", b, o.n, o.err, want.n, want.refused)
		}
	}
	if !short.same(&long) {
		t.Fatalf("%q: %+v, and with less room for fields %+v", b, short, long)
	}
}

// TestShortHeads changes, inserts and drops each byte, cuts the head short everywhere, and has it
// followed by what would complete it or look like more of it.
func TestShortHeads(t *testing.T) {
	page := guarded(t)
	fills := []string{"\n", "\r\n", "\n\r", "\x7f", "a: b\r\n", " b\r\na:", "\r\na: b"}
	for _, m := range shortHeads {
		for k, fill := range fills {
			for i := range m {
				checkShort(t, shortRoom(page, fill, []byte(m[:i])))
				checkShort(t, shortRoom(page, fill, []byte(m[:i]+m[i+1:])))
				for c := k; c < 256; c += len(fills) {
					b := []byte(m)
					b[i] = byte(c)
					checkShort(t, shortRoom(page, fill, b))
					checkShort(t, shortRoom(page, fill, slices.Insert(b, i, byte(c))))
				}
			}
			for _, behind := range []string{"", "\r\n", "GET / HTTP/1.1\r\n\r\n"} {
				checkShort(t, shortRoom(page, fill, []byte(m+behind)))
			}
		}
	}
}

// TestShortWalk checks that the walk over short heads does all of a head that is plain, wherever it
// may load what is behind it, and nothing where it may not; and that it keeps to the room for fields.
func TestShortWalk(t *testing.T) {
	if !kernels() {
		t.Skip("this machine has no walk in assembly")
	}
	page := guarded(t)
	heads := slices.Clone(shortHeads)
	for m := MethodGet; m < numMethods; m++ {
		if len(m.String()) <= 7 {
			heads = append(heads, m.String()+" * HTTP/1.0\r\nDate: x\r\n\r\n")
		}
	}
	for n := range shortFields {
		heads = append(heads, "GET / HTTP/1.1\r\n"+strings.Repeat("a: b\r\n", n)+"\r\n")
	}
	for _, m := range heads {
		if len(m) >= shortHead {
			t.Fatalf("%q is not short", m)
		}
		for at := range len(page) - len(m) + 1 {
			b := page[at:][:len(m)]
			copy(b, m)
			h := Head{Fields: make([]Field, 0, shortFields)}
			want := len(m)
			if at > len(page)-96 {
				want = 0
			}
			if n := short(&h, b); n != want || n > 0 && (h.Size != n || len(h.Fields) != strings.Count(m, ": ")) {
				t.Fatalf("%q at %d: %d, %+v", b, at, n, h)
			}
		}
	}
	var room [shortFields + 1]Field
	m := "GET / HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", shortFields)
	for n := range shortHead {
		h := Head{Fields: room[:0:shortFields]}
		if got := short(&h, shortRoom(page, "\n", []byte(m[:n]))); got != 0 || room[shortFields] != (Field{}) {
			t.Fatalf("%q: %d, %+v", m[:n], got, room)
		}
	}
	if room[shortFields-1] == (Field{}) {
		t.Errorf("%d fields are more than there are", shortFields)
	}
}

// TestShortStopsInside checks that bytes behind the slice, which others may be writing meanwhile, are no
// fields: there would be no bound on how many.
func TestShortStopsInside(t *testing.T) {
	if !kernels() {
		t.Skip("this machine has no walk in assembly")
	}
	b := guarded(t)[:96]
	copy(b, "GET / HTTP/1.1\r\n"+strings.Repeat("a: b\r\n", shortFields))
	for n := range shortHead {
		var room [shortFields]Field
		short(&Head{Fields: room[:0]}, b[:n])
		for _, f := range room {
			if f != (Field{}) && int(f.ValueOff+f.ValueLen) >= n {
				t.Fatalf("%q: %+v", b[:n], f)
			}
		}
	}
}

// TestShortLimits checks that limits which a short head could exceed are respected.
func TestShortLimits(t *testing.T) {
	h := Head{Fields: make([]Field, 0, 16)}
	for n := range shortFields {
		m := []byte("GET /tt HTTP/1.1\r\n" + strings.Repeat("a: b\r\n", n) + "\r\n")
		for limit := -1; limit < shortFields+2; limit++ {
			for target := -1; target < shortHead+2; target++ {
				got, err := h.ParseRequest(m, &Limits{Fields: limit, Target: target})
				want := ""
				switch {
				case target > 0 && target < len("/tt"):
					want = fmt.Sprint(&Error{Reason: ReasonTargetTooLong, Offset: len("GET ") + target})
				case limit > 0 && limit < n:
					want = fmt.Sprint(&Error{Reason: ReasonTooManyFields, Offset: bytes.IndexByte(m, '\n') + 1 + limit*len("a: b\r\n")})
				}
				if want == "" && (got != len(m) || err != nil) || want != "" && fmt.Sprint(err) != want {
					t.Fatalf("%q, at most %d fields and %d bytes: %d, %v, want %s", m, limit, target, got, err, want)
				}
			}
		}
	}
}

// TestShortFieldsGrow checks that a Head without room has enough for the walk after its first field.
func TestShortFieldsGrow(t *testing.T) {
	var h Head
	b := []byte(shortHeads[0])
	if n, err := h.ParseRequest(b, nil); n != len(b) || err != nil || cap(h.Fields) < shortFields {
		t.Fatalf("%d, %v, room for %d", n, err, cap(h.Fields))
	}
}
