// Heads and chunk lines: what bytesparse accepts must obey the grammar and survive being
// written and parsed again; the result must depend neither on where the bytes were cut nor
// on what follows them.

package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// parser is one of Head's three ways to read a message.
type parser func(h *bytesparse.Head, b []byte, lim *bytesparse.Limits) (int, error)

// smallLimits are within reach of short inputs.
var smallLimits = &bytesparse.Limits{Fields: 3, Target: 12}

// outcome is all that a caller can see of a parse.
type outcome struct {
	h   bytesparse.Head
	b   []byte // what was parsed; parsing may unfold it
	n   int
	err error
}

func (o *outcome) String() string {
	if o.n == 0 {
		return fmt.Sprint("nothing, ", o.err)
	}
	h := &o.h
	s := fmt.Sprintf("%d %d %q %q %d %d %q", o.n, h.Size, h.Name.Of(o.b), h.Target.Of(o.b), h.Minor, h.Status, h.Reason.Of(o.b))
	for _, f := range h.Fields {
		s += fmt.Sprintf(" %q=%q/%d,%v", f.NameOf(o.b), f.ValueOf(o.b), f.ID, h.Dup(f.ID))
	}
	return s
}

// same reports whether two parses of the same bytes have the same outcome. It is called often,
// and so formats nothing.
func (o *outcome) same(p *outcome) bool {
	if o.n != p.n || !sameError(o.err, p.err) {
		return false
	}
	if o.n == 0 {
		return true
	}
	g, h := &o.h, &p.h
	if g.Size != h.Size || g.Method != h.Method || g.Minor != h.Minor || g.Status != h.Status || g.Name != h.Name || g.Target != h.Target ||
		g.Reason != h.Reason || !slices.Equal(g.Fields, h.Fields) {
		return false
	}
	for _, f := range g.Fields { // in what was unfolded too
		if g.Dup(f.ID) != h.Dup(f.ID) || !g.Has(f.ID) || !h.Has(f.ID) || !bytes.Equal(f.ValueOf(o.b), f.ValueOf(p.b)) {
			return false
		}
	}
	return true
}

// sameError reports whether two errors of bytesparse say the same.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	var x, y *bytesparse.Error
	return errors.As(a, &x) && errors.As(b, &y) && *x == *y
}

// parse sets o to the outcome of a parse of b, reusing its memory.
func (o *outcome) parse(parse parser, b []byte, lim *bytesparse.Limits) {
	o.b = b
	o.n, o.err = parse(&o.h, b, lim)
}

// cuts is the maximum number of places at which an input is cut: cutting a long input at every
// place would take quadratic time.
const cuts = 40

// checkHead checks the properties common to all kinds of heads for one input.
func checkHead(t *testing.T, parse parser, data []byte, lim *bytesparse.Limits) {
	var want, got outcome
	want.parse(parse, bytes.Clone(data), lim)
	n, err := want.n, want.err
	if e := (*bytesparse.Error)(nil); err != nil && (!errors.As(err, &e) || n != 0 || e.Offset < 0 || e.Offset >= len(data)) {
		t.Fatalf("%q: %d, %v", data, n, err)
	}
	// The search agrees, resumed at every byte.
	end, next := 0, 0
	for i := 0; i <= len(data) && end == 0; i++ {
		end, next = bytesparse.IndexHeadEnd(data[:i:i], next)
		if end == 0 && (next > i || i-next > 3) {
			t.Fatalf("%q: search goes on from %d", data[:i], next)
		}
	}
	switch {
	case err == nil && n != max(end, 0), end < 0 && err == nil, end == 0 && err != nil:
		t.Fatalf("%q: search says %d, parse says %v", data, end, &want)
	}
	// Any split, in a buffer that parsing changes as it goes.
	step := 1 + len(data)/cuts
	for cut := len(data) % step; cut < len(data); cut += step {
		b := bytes.Clone(data)
		if got.parse(parse, b[:cut:cut], lim); got.n == 0 && got.err == nil {
			got.parse(parse, b, lim)
		}
		if got.b = b; !got.same(&want) {
			t.Fatalf("%q cut at %d:\n got %v\nwant %v", data, cut, &got, &want)
		}
	}
	if n == 0 {
		return
	}
	// Nothing after the head matters.
	for _, tail := range []string{"", "\n", "\r\n\r\n", "\x00", "GET / HTTP/1.1\r\n\r\n"} {
		if got.parse(parse, append(bytes.Clone(data[:n]), tail...), lim); !got.same(&want) {
			t.Fatalf("%q with %q behind it:\n got %v\nwant %v", data[:n], tail, &got, &want)
		}
	}
	checkFields(t, &want.h, want.b)
}

// checkFields checks the fields of a valid head against the grammar.
func checkFields(t *testing.T, h *bytesparse.Head, b []byte) {
	count := map[bytesparse.FieldID]int{}
	for i, f := range h.Fields {
		name, value := f.NameOf(b), f.ValueOf(b)
		if !bytesparse.IsToken(name) || !bytesparse.IsFieldValue(value) || len(bytes.Trim(value, " \t")) != len(value) {
			t.Fatalf("field %q: %q", name, value)
		}
		if f.ID != bytesparse.LookupField(name) || f.ID != bytesparse.FieldOther && !bytesparse.EqualFold(name, f.ID.String()) {
			t.Fatalf("field %q is taken for %v", name, f.ID)
		}
		if count[f.ID]++; count[f.ID] == 1 && (h.Index(f.ID) != i || !bytes.Equal(h.Value(b, f.ID), value)) {
			t.Fatalf("field %q: index %d, want %d", name, h.Index(f.ID), i)
		}
	}
	for id := bytesparse.FieldOther; id < 64; id++ {
		if h.Has(id) != (count[id] > 0) || h.Dup(id) != (count[id] > 1) || (h.Index(id) < 0) != (count[id] == 0) {
			t.Fatalf("field %v occurs %d times; has %v, dup %v", id, count[id], h.Has(id), h.Dup(id))
		}
	}
}

// written returns the message of h, written again.
func written(h *bytesparse.Head, b []byte, start string) []byte {
	out := []byte(start)
	for _, f := range h.Fields {
		out = append(append(out, f.NameOf(b)...), ": "...)
		out = append(append(out, f.ValueOf(b)...), "\r\n"...)
	}
	return append(out, "\r\n"...)
}

// fieldSeeds are field sections to put after a start line: valid ones, and shapes that
// parsers have disagreed about.
var fieldSeeds = []string{
	"\r\n",
	"Host: a\r\n\r\n",
	"Host: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
	"Transfer-Encoding : chunked\r\n\r\n",
	"Transfer-Encoding\r\n: chunked\r\n\r\n",
	"X: a\r\n b\r\n\t\r\nY:\t\r\n\r\n",
	"X: a\nHost: b\r\n\r\n",
	"X: a\rHost: b\r\n\r\n",
	"X: \x00\r\n\r\n",
	"X: \xc3\xa9 \x80 \xff\xff  \x7f\r\n\r\n",
	": a\r\n\r\n",
	"A:\r\nB:\r\nC:\r\nD:\r\n\r\n",
	"If-Unmodified-Since: x\r\nUpgrade-Insecure-Requests: 1\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
	"\r\n\r\n",
	" Host: a\r\n\r\n",
}

func FuzzRequestHead(f *testing.F) {
	for _, s := range fieldSeeds {
		f.Add([]byte("GET / HTTP/1.1\r\n" + s))
	}
	for _, s := range []string{
		"OPTIONS * HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "M-SEARCH http://u@h/?q HTTP/1.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET /a b HTTP/1.1\r\n\r\n", "GET /\xe9 HTTP/1.1\r\n\r\n", "GET /\r\n\r\n", "\r\nGET / HTTP/1.1\r\n\r\n",
		"GET /aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkHead(t, (*bytesparse.Head).ParseRequest, data, nil)
		checkHead(t, (*bytesparse.Head).ParseRequest, data, smallLimits)
		var h bytesparse.Head
		n, _ := h.ParseRequest(data, nil)
		if n == 0 {
			return
		}
		name, target := h.Name.Of(data), h.Target.Of(data)
		if !bytesparse.IsToken(name) || !bytesparse.IsTarget(target) || h.Method != bytesparse.LookupMethod(name) || h.Minor > 1 || h.Status != 0 {
			t.Fatalf("%q: %+v", data[:n], h)
		}
		again := written(&h, data, fmt.Sprintf("%s %s HTTP/1.%d\r\n", name, target, h.Minor))
		var g bytesparse.Head
		m, err := g.ParseRequest(again, nil)
		if m != len(again) || !bytes.Equal(written(&g, again, fmt.Sprintf("%s %s HTTP/1.%d\r\n", g.Name.Of(again), g.Target.Of(again), g.Minor)), again) {
			t.Fatalf("%q, written as %q, reads differently: %d, %v", data[:n], again, m, err)
		}
	})
}

func FuzzResponseHead(f *testing.F) {
	for _, s := range fieldSeeds {
		f.Add([]byte("HTTP/1.1 200 OK\r\n" + s))
	}
	for _, s := range []string{
		"HTTP/1.0 204\r\n\r\n", "HTTP/1.1 204 \r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n", "HTTP/1.1 1000 X\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200 \t\xe9  \r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkHead(t, (*bytesparse.Head).ParseResponse, data, nil)
		checkHead(t, (*bytesparse.Head).ParseResponse, data, smallLimits)
		var h bytesparse.Head
		b := bytes.Clone(data)
		n, _ := h.ParseResponse(b, nil)
		if n == 0 {
			return
		}
		reason := h.Reason.Of(b)
		if h.Status < 100 || h.Status > 999 || !bytesparse.IsFieldValue(reason) || h.Minor > 1 || h.Method != 0 {
			t.Fatalf("%q: %+v", data[:n], h)
		}
		again := written(&h, b, fmt.Sprintf("HTTP/1.%d %d %s\r\n", h.Minor, h.Status, reason))
		var g bytesparse.Head
		m, err := g.ParseResponse(again, nil)
		if m != len(again) || !bytes.Equal(written(&g, again, fmt.Sprintf("HTTP/1.%d %d %s\r\n", g.Minor, g.Status, g.Reason.Of(again))), again) {
			t.Fatalf("%q, written as %q, reads differently: %d, %v", data[:n], again, m, err)
		}
	})
}

func FuzzTrailers(f *testing.F) {
	for _, s := range fieldSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkHead(t, (*bytesparse.Head).ParseTrailers, data, nil)
		checkHead(t, (*bytesparse.Head).ParseTrailers, data, smallLimits)
		// The same fields in a request are the same fields.
		var h, g bytesparse.Head
		n, err := h.ParseTrailers(data, nil)
		b := append([]byte("GET / HTTP/1.1\r\n"), data...)
		m, err2 := g.ParseRequest(b, nil)
		if (n == 0) != (m == 0) || (err == nil) != (err2 == nil) || n != 0 && !bytes.Equal(written(&h, data, ""), written(&g, b, "")) {
			t.Fatalf("%q: trailers %d, %v; in a request %d, %v", data, n, err, m, err2)
		}
	})
}

func FuzzChunkLine(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n", "7fffffffffffffff\r\n", "8000000000000000\r\n", "00000000000000000000000001\r\n", "0x5\r\n", "+5\r\n", "5 \r\n", "5\n", "5\r5\r\n",
		"5;a\r\n", "5 ; a = b\t;c=\"d;\\\"e\xff\"\r\n", "5;\r\n", "5;a=\"\r\n\"\r\n", "5;a=\"\\\r\n", "\r\n", "5;a\rb\r\n",
	} {
		f.Add([]byte(s), 0)
		f.Add([]byte(s), 9)
	}
	f.Fuzz(func(t *testing.T, data []byte, lim int) {
		data = data[:min(len(data), 4096)] // each prefix is tried, which is quadratic
		n, size, err := bytesparse.NextChunkLine(data, lim)
		var e *bytesparse.Error
		if err != nil && (!errors.As(err, &e) || n != 0 || size != 0 || e.Offset < 0 || e.Offset > len(data)) {
			t.Fatalf("%q, at most %d: %d, %d, %v", data, lim, n, size, err)
		}
		for cut := range data {
			m, s, cutErr := bytesparse.NextChunkLine(data[:cut:cut], lim)
			if m == 0 && cutErr == nil {
				continue
			}
			if m != n || s != size || !sameError(cutErr, err) {
				t.Fatalf("%q, at most %d: %d, %d, %v; %d bytes of it: %d, %d, %v", data, lim, n, size, err, cut, m, s, cutErr)
			}
		}
		if n == 0 {
			return
		}
		line := data[:n-2]
		if size < 0 || n > len(data) || lim > 0 && n > lim || lim == 0 && n > 256 || string(data[n-2:n]) != "\r\n" || !bytesparse.IsFieldValue(line) {
			t.Fatalf("%q, at most %d: %d, %d", data, lim, n, size)
		}
		// Written afresh, without zeros and extensions, it is the same size.
		again := fmt.Appendf(nil, "%x\r\n", size)
		if m, s, err := bytesparse.NextChunkLine(again, 0); m != len(again) || s != size || err != nil {
			t.Fatalf("%q, written as %q, reads differently: %d, %d, %v", line, again, m, s, err)
		}
	})
}
