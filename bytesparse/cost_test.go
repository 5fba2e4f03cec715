package bytesparse

import (
	"strings"
	"testing"
)

// What things cost: no allocation, and steps in proportion to the bytes.

func TestNothingIsAllocated(t *testing.T) {
	h := Head{Fields: make([]Field, 0, 32)}
	req, lim := []byte(browserHead), &Limits{Fields: 20}
	res := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Folded: a\r\n b\r\n\r\n")
	tra := []byte("Checksum: 1\r\n\r\n")
	chunk, list, host, digits := []byte("1f;a=\"b\"\r\n"), []byte("a, b;q=1 , close"), []byte("[::ffff:1.2.3.4]:8080"), []byte("12345")
	name := []byte("If-Unmodified-Since")
	for what, f := range map[string]func(){
		"ParseRequest":             func() { must(t, first(h.ParseRequest(req, lim)) == len(req)) },
		"ParseRequest, incomplete": func() { must(t, first(h.ParseRequest(req[:500], nil)) == 0) },
		"ParseResponse":            func() { must(t, first(h.ParseResponse(res, nil)) == len(res)) },
		"ParseTrailers":            func() { must(t, first(h.ParseTrailers(tra, nil)) == len(tra)) },
		"IndexHeadEnd":             func() { end, _ := IndexHeadEnd(req, 0); must(t, end == len(req)) },
		"NextChunkLine":            func() { n, _, _ := NextChunkLine(chunk, 0); must(t, n == len(chunk)) },
		"ContainsToken":            func() { must(t, ContainsToken(list, "close")) },
		"ParseUint":                func() { n, _ := ParseUint(digits); must(t, n == 12345) },
		"ValidHost":                func() { must(t, ValidHost(host)) },
		"LookupField":              func() { must(t, LookupField(name) == FieldIfUnmodifiedSince && LookupField("ETag") == FieldETag) },
		"LookupMethod":             func() { must(t, LookupMethod(name) == MethodOther) },
		"EqualFold":                func() { must(t, EqualFold(name, "if-unmodified-since")) },
		"String":                   func() { must(t, FieldHost.String() != "" && MethodGet.String() != "" && ReasonBareCR.String() != "") },
		"Value":                    func() { must(t, h.Value(req, FieldOther) == nil || h.NextIndex(FieldHost, 9) < 0) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

func first(n int, _ error) int { return n }

func must(t *testing.T, ok bool) {
	t.Helper()
	if !ok {
		t.Fatal("a wrong answer")
	}
}

// slow are heads made to be as costly as they can be: a mark for every byte,
// the shortest fields, folds, blanks in endless runs.
func slow(size int) map[string]string {
	const r, s = "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n"
	rep := func(start, part string) string {
		return start + strings.Repeat(part, (size-len(start)-4)/len(part)) + "\r\n\r\n"
	}
	return map[string]string{
		"tabs":     rep(r+"A:", "\t"),
		"tabblank": rep(r+"A:", "\t "),
		"blanks":   rep(r+"A:\t", " "),
		"obstext":  rep(r+"A:", "\xff"),
		"fields":   rep(r, "A:\r\n")[:size-size%4-2],
		"names":    rep(r, "A-Rather-Long-Name-Indeed:\r\n"),
		"longname": rep(r, "n") + ":",
		"target":   "GET " + strings.Repeat("/", size) + " HTTP/1.1\r\n\r\n",
		"folds":    rep(s+"A:", "\r\n "),
		"quotes":   rep(r+"A:", `"`),
	}
}

// TestScanStepsAreLinear counts the windows marked: whatever is in a head, no
// byte of it is scanned more often than a few times.
func TestScanStepsAreLinear(t *testing.T) {
	for name, s := range slow(1 << 15) {
		b := []byte(s)
		var m masks
		scanned := 0
		for p, base := 0, -1; p < len(b); p++ {
			p = m.indexV(b, p)
			if m.base != base {
				base = m.base
				scanned += m.end - m.base
			}
		}
		if scanned > 2*len(b)+64*windowBlocks {
			t.Errorf("%s: %d bytes scanned of %d", name, scanned, len(b))
		}
	}
}

// TestByteByByteStepsAreLinear counts how many bytes the resumed searches look
// at, from where each goes on to the end of what is there.
func TestByteByByteStepsAreLinear(t *testing.T) {
	for name, s := range slow(1 << 13) {
		looked, from := 0, 0
		for n := 1; n <= len(s); n++ {
			looked += n - from
			end, next := IndexHeadEnd([]byte(s[:n]), from)
			if end != 0 {
				break
			}
			from = next
		}
		if looked > 4*len(s) {
			t.Errorf("%s: %d bytes looked at for %d", name, looked, len(s))
		}
	}
}

// TestFoldsAreLinear checks that a folded line is joined without examining what precedes it: with
// many blank lines, that would be all of them, each time. So it does not matter what is there.
func TestFoldsAreLinear(t *testing.T) {
	const s, e = 10, 16 // the folded line
	for _, c := range []struct {
		line string
		had  Field
		want Span
	}{
		{" \tab\t ", Field{ValueOff: 9}, Span{12, 2}},
		{" \tab\t ", Field{ValueOff: 3, ValueLen: 2}, Span{3, 11}},
		{" \t  \t ", Field{ValueOff: 9}, Span{16, 0}},
		{" \t  \t ", Field{ValueOff: 3, ValueLen: 2}, Span{3, 2}},
	} {
		b := []byte("A:xxxxxx\r\n" + c.line + "\r\n")
		f := c.had
		if join(b, &f, s, e); f.ValueOff != c.want.Off || f.ValueLen != c.want.Len {
			t.Errorf("%q behind %+v: %+v, want %+v", c.line, c.had, f, c.want)
		}
	}
}
