package bytesparse

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// The parser against the oracle: every byte of every sample replaced by every
// byte, dropped, doubled, cut off; at once, in two parts, and byte by byte.

func check(t *testing.T, h *Head, k kind, data []byte) {
	t.Helper()
	got, err := parse(h, k, data)
	want := judge(k, string(data))
	if d := differ(got, want); d != "" {
		t.Fatalf("%v %q: %s\n got %+v %v\nwant %+v", k, data, d, got, err, want)
	}
	if got.n > 0 {
		seen, dup := h.seen, h.dup
		if h.note(); seen != h.seen || dup != h.dup {
			t.Fatalf("%v %q: fields seen %b, twice %b; want %b, %b", k, data, seen, dup, h.seen, h.dup)
		}
	}
}

func eachSample(t *testing.T, f func(t *testing.T, k kind, sample []byte)) {
	for k, list := range samples {
		t.Run(k.String(), func(t *testing.T) {
			for _, s := range list {
				f(t, k, []byte(s))
			}
		})
	}
}

func TestSamplesAreGood(t *testing.T) {
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		if v, err := parse(new(Head), k, sample); v.n == 0 {
			t.Errorf("%q: %v", sample, err)
		}
	})
}

func TestEveryByteEverywhere(t *testing.T) {
	var h Head
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		b := bytes.Clone(sample)
		for i, old := range b {
			for c := range 256 {
				b[i] = byte(c)
				check(t, &h, k, b)
			}
			b[i] = old
		}
	})
}

func TestEveryByteInsertedAndDropped(t *testing.T) {
	var h Head
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		for i := range sample {
			check(t, &h, k, append(bytes.Clone(sample[:i]), sample[i+1:]...))
			for _, c := range []byte("\x00\t\n\r :a\x7f\x80\xff") {
				b := append(bytes.Clone(sample[:i]), c)
				check(t, &h, k, append(b, sample[i:]...))
			}
		}
	})
}

func TestEveryPairOfLineEndBytes(t *testing.T) {
	var h Head
	const bytes3 = "\r\n\t a:"
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		b := bytes.Clone(sample)
		for i := range len(b) - 1 {
			for _, c := range []byte(bytes3) {
				for _, d := range []byte(bytes3) {
					b[i], b[i+1] = c, d
					check(t, &h, k, b)
				}
			}
			copy(b, sample)
		}
	})
}

func TestEveryTruncationIsIncomplete(t *testing.T) {
	var h Head
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		whole := judge(k, string(sample)).n
		for n := range whole {
			if v, err := parse(&h, k, sample[:n:n]); v.n != 0 || err != nil {
				t.Fatalf("%v %q: %d, %v", k, sample[:n], v.n, err)
			}
		}
	})
}

func TestShiftedAcrossBlocks(t *testing.T) {
	// A longer and longer first field moves the rest over every block border.
	var h Head
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		at := 0
		if k != trailers {
			at = bytes.Index(sample, []byte("\r\n")) + 2
		}
		for n := range 600 {
			b := append(bytes.Clone(sample[:at]), "A:"...)
			b = append(b, bytes.Repeat([]byte("v"), n)...)
			b = append(b, "\r\n"...)
			check(t, &h, k, append(b, sample[at:]...))
		}
	})
}

// outcome is what a caller can see of a parse.
type outcome struct {
	n   int
	err Error
}

func outcomeOf(v verdict, err error) outcome {
	o := outcome{n: v.n}
	if e := (*Error)(nil); errors.As(err, &e) {
		o.err = *e
	}
	return o
}

// byBytes is the outcome when data arrives one byte at a time: searched with
// IndexHeadEnd, then parsed.
func byBytes(t *testing.T, h *Head, k kind, data []byte) outcome {
	next := 0
	for n := 0; n <= len(data); n++ {
		end, to := IndexHeadEnd(data[:n:n], next)
		if end == 0 {
			if to < next || to > n || n-to > 3 {
				t.Fatalf("%q: next went from %d to %d", data[:n], next, to)
			}
			next = to
			continue
		}
		v, err := parse(h, k, data[:n])
		if (err == nil) != (v.n != 0) || err == nil && (v.n != end || end != n) {
			t.Fatalf("%q: end %d, then %d, %v", data[:n], end, v.n, err)
		}
		return outcomeOf(v, err)
	}
	return outcome{}
}

func TestAnySplitGivesTheSameAnswer(t *testing.T) {
	var h Head
	eachSample(t, func(t *testing.T, k kind, sample []byte) {
		b := bytes.Clone(sample)
		for i, old := range b {
			for _, c := range []byte("\x00\t\n\r :;a\x7f\xff") {
				b[i] = c
				whole := outcomeOf(parse(&h, k, b))
				if got := byBytes(t, &h, k, b); got != whole {
					t.Fatalf("%v %q: byte by byte %v, at once %v", k, b, got, whole)
				}
				// In two parts, over a buffer that parsing may change, as a
				// connection's is.
				for cut := range len(b) {
					grown := bytes.Clone(b)
					v, err := parseInPlace(&h, k, grown[:cut:cut])
					if v.n == 0 && err == nil {
						v, err = parseInPlace(&h, k, grown)
					}
					if got := outcomeOf(v, err); got != whole {
						t.Fatalf("%v %q cut at %d: %v, at once %v", k, b, cut, got, whole)
					}
				}
			}
			b[i] = old
		}
	})
}

func TestReusedHeadForgets(t *testing.T) {
	var h Head
	long := "POST /long HTTP/1.0\r\nHost: a\r\nHost: b\r\nCookie: c\r\nX: y\r\nTE: z\r\n\r\n"
	if n, err := h.ParseRequest([]byte(long), nil); n != len(long) {
		t.Fatal(n, err)
	}
	short := []byte("GET / HTTP/1.1\r\nAge: 1\r\n\r\n")
	if n, err := h.ParseRequest(short, nil); n != len(short) {
		t.Fatal(n, err)
	}
	if len(h.Fields) != 1 || h.Has(FieldHost) || h.Dup(FieldHost) || h.Has(FieldCookie) || h.Has(FieldOther) ||
		h.Index(FieldHost) != -1 || h.Value(short, FieldHost) != nil || h.Method != MethodGet || h.Minor != 1 {
		t.Errorf("left over: %+v", h)
	}
	for _, bad := range []string{"GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"} {
		_, _ = h.ParseRequest([]byte(bad), nil)
		if len(h.Fields) != 0 || h.Has(FieldHost) || h.Has(FieldAge) || h.Method != MethodOther || h.Size != 0 {
			t.Errorf("%q: half a message left: %+v", bad, h)
		}
	}
}

func TestFieldIndex(t *testing.T) {
	b := []byte("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nCookie: a\r\nX-B: 2\r\ncookie: \r\n\r\n")
	var h Head
	if n, err := h.ParseRequest(b, nil); n != len(b) || h.Size != n {
		t.Fatal(n, err)
	}
	if !h.Has(FieldCookie) || !h.Dup(FieldCookie) || h.Dup(FieldHost) || h.Has(FieldAge) || !h.Dup(FieldOther) {
		t.Error("Has or Dup")
	}
	if i := h.Index(FieldCookie); i != 2 || h.NextIndex(FieldCookie, i) != 4 || h.NextIndex(FieldCookie, 4) != -1 {
		t.Error("Index or NextIndex of cookie")
	}
	if h.Index(FieldOther) != 1 || h.NextIndex(FieldOther, 1) != 3 || h.NextIndex(FieldHost, -1) != 0 || h.Index(FieldAge) != -1 {
		t.Error("Index or NextIndex")
	}
	if v := h.Value(b, FieldCookie); string(v) != "a" {
		t.Errorf("first cookie %q", v)
	}
	if v := h.Fields[4].ValueOf(b); v == nil || len(v) != 0 {
		t.Error("an empty value is not nil")
	}
	if h.Value(b, FieldAge) != nil {
		t.Error("an absent value is nil")
	}
	h.Reset()
	if h.Has(FieldHost) || len(h.Fields) != 0 || cap(h.Fields) == 0 || h.Size != 0 {
		t.Error("Reset")
	}
}

func TestLentFieldArray(t *testing.T) {
	var inline [4]Field
	h := Head{Fields: inline[:0]}
	b := []byte("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n")
	if n, err := h.ParseRequest(b, nil); n != len(b) || &h.Fields[0] != &inline[0] {
		t.Fatal("the lent array was not used", n, err)
	}
	b = append(b[:len(b)-2], "E: 5\r\n\r\n"...)
	if n, err := h.ParseRequest(b, nil); n != len(b) || len(h.Fields) != 5 || string(h.Fields[4].ValueOf(b)) != "5" {
		t.Fatal("the array did not grow", n, err)
	}
}

// FuzzOracle looks for a message that parser and oracle differ about.
func FuzzOracle(f *testing.F) {
	for k, list := range samples {
		for _, s := range list {
			f.Add(byte(k), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, k byte, data []byte) {
		check(t, new(Head), kind(k%3), data)
	})
}

// TestTabsAndObsText: tabs, which are white space in a value and marked like control bytes, and
// obs-text, at every position of heads whose lines fall differently on blocks of 64 bytes.
func TestTabsAndObsText(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		var h Head
		for pad := range 70 {
			head := "GET /" + strings.Repeat("p", pad) + " HTTP/1.1\r\nHost: a\r\nX-Name:value of it\r\nAccept:  \r\nAccept: b\r\nCookie: " +
				strings.Repeat("c", 40) + "\r\n\r\n"
			for i := range head {
				for _, text := range []string{"\t", "\t\t", " \t", "\t ", strings.Repeat("\t", 9), "\ta\tb\t", "é", "\xff", "\x80\t\x1f"} {
					check(t, &h, request, []byte(head[:i]+text+head[i:]))       // inserted
					if rest := i + len(text); rest <= len(head) && pad%7 == 0 { // replacing
						check(t, &h, request, []byte(head[:i]+text+head[rest:]))
					}
				}
			}
		}
	})
}
