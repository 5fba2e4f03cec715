// Chunk-size lines, rule by rule of RFC 9112 §7.1.

package bytesparse

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// chunkLineRE is the grammar of RFC 9112 §7.1 and §7.1.1, as the oracle has it.
var chunkLineRE = regexp.MustCompile(`^([0-9a-fA-F]+)(?:[ \t]*;[ \t]*` + tokenRE +
	`(?:[ \t]*=[ \t]*(?:` + tokenRE + `|"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$`)

// judgeChunk says what the grammar says about the line that data begins with.
func judgeChunk(data string, lim int) (n int, size int64, refused bool) {
	if i := strings.Index(data, "\r\n"); i >= 0 {
		m := chunkLineRE.FindStringSubmatch(latin1Line(data[:i]))
		if m == nil || i+2 > lim {
			return 0, 0, true
		}
		size, err := strconv.ParseInt(m[1], 16, 64)
		return i + 2, size, err != nil
	}
	return 0, 0, false
}

// latin1Line puts a byte that is no UTF-8 into the range that chunkLineRE allows.
func latin1Line(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 0x80 {
			b[i] = 'a'
			if i == 0 || !strings.Contains(s[:i], `"`) { // outside a string, it is as good as a control byte
				b[i] = 0
			}
		}
	}
	return string(b)
}

var chunkSamples = []string{
	"0\r\n", "5\r\nhello\r\n", "fFfF\r\n", "00000000000000000001a\r\n", "5;a\r\n", "5 ; a = b ;c\t;\td=\"e;\\\"\xe9 f\"\r\n", "1;x=\"\"\r\n",
}

func TestRFC9112_7_1_EveryByteEverywhere(t *testing.T) {
	for _, s := range chunkSamples {
		b := []byte(s)
		for i, old := range b {
			for c := range 256 {
				b[i] = byte(c)
				n, size, err := NextChunkLine(b, 0)
				wantN, wantSize, refused := judgeChunk(string(b), 256)
				if wantN == 0 && !refused {
					// Not a whole line, says the oracle; a fault may be seen all the same.
					if n != 0 {
						t.Fatalf("%q: %d bytes", b, n)
					}
					continue
				}
				if (err != nil) != refused || !refused && (n != wantN || size != wantSize) {
					t.Fatalf("%q: %d, %d, %v; want %d, %d, refused %v", b, n, size, err, wantN, wantSize, refused)
				}
			}
			b[i] = old
		}
	}
}

func TestRFC9112_7_1_ChunkLines(t *testing.T) {
	for _, c := range []struct {
		in     string
		n      int
		size   int64
		reason Reason
		at     int
	}{
		{"0\r\n\r\n", 3, 0, 0, 0},
		{"a\r\n", 3, 10, 0, 0},
		{"7fffffffffffffff\r\n", 18, math.MaxInt64, 0, 0},
		{"07fffffffffffffff\r\n", 19, math.MaxInt64, 0, 0},
		{"8000000000000000\r\n", 0, 0, ReasonChunkOverflow, 15},
		{"10000000000000000\r\n", 0, 0, ReasonChunkOverflow, 16},
		{"10000000000000005\r\n", 0, 0, ReasonChunkOverflow, 16},
		{"\r\n", 0, 0, ReasonChunkSize, 0},
		{"0x5\r\n", 0, 0, ReasonChunkSize, 1},
		{"+5\r\n", 0, 0, ReasonChunkSize, 0},
		{"-5\r\n", 0, 0, ReasonChunkSize, 0},
		{" 5\r\n", 0, 0, ReasonChunkSize, 0},
		{"5 \r\n", 0, 0, ReasonChunkSize, 2},
		{"5\t\r\n", 0, 0, ReasonChunkSize, 2},
		{"5 5\r\n", 0, 0, ReasonChunkSize, 2},
		{"5_0\r\n", 0, 0, ReasonChunkSize, 1},
		{"5,5\r\n", 0, 0, ReasonChunkSize, 1},
		{"g\r\n", 0, 0, ReasonChunkSize, 0},
		{"5\n", 0, 0, ReasonBareLF, 1},
		{"\n", 0, 0, ReasonBareLF, 0},
		{"5\r5\n", 0, 0, ReasonBareCR, 1},
		{"\rx", 0, 0, ReasonBareCR, 0},
		{"5;a\n", 0, 0, ReasonBareLF, 3},
		{"5;a\rb\r\n", 0, 0, ReasonBareCR, 3},
		{"5;\r\n", 0, 0, ReasonChunkExt, 2},
		{"5;;a\r\n", 0, 0, ReasonChunkExt, 2},
		{"5;a;\r\n", 0, 0, ReasonChunkExt, 4},
		{"5;a \r\n", 0, 0, ReasonChunkExt, 4},
		{"5;a=\r\n", 0, 0, ReasonChunkExt, 4},
		{"5;a=b c\r\n", 0, 0, ReasonChunkExt, 6},
		{"5;a b\r\n", 0, 0, ReasonChunkExt, 4},
		{"5;a==b\r\n", 0, 0, ReasonChunkExt, 4},
		{"5;=b\r\n", 0, 0, ReasonChunkExt, 2},
		{"5;a=\"b\r\n", 0, 0, ReasonChunkExt, 6},
		{"5;a=\"b\"c\r\n", 0, 0, ReasonChunkExt, 7},
		{"5;a=\"b\" \r\n", 0, 0, ReasonChunkExt, 8},
		{"5;a=\"\\\r\n", 0, 0, ReasonChunkExt, 6},
		{"5;a=\"\x00\"\r\n", 0, 0, ReasonChunkExt, 5},
		{"5;a\x00\r\n", 0, 0, ReasonChunkExt, 3},
		{"5;a=\"\\\x7f\"\r\n", 0, 0, ReasonChunkExt, 6},
		{"5;\"a\"\r\n", 0, 0, ReasonChunkExt, 2},
		{"5;a=\"b\\\"c\"\t; d\r\n", 16, 5, 0, 0},
		{"5\t;a\t=\tb;c\r\n", 12, 5, 0, 0},
	} {
		n, size, err := NextChunkLine([]byte(c.in), 0)
		var e *Error
		if c.reason == ReasonNone {
			if n != c.n || size != c.size || err != nil {
				t.Errorf("%q: %d, %d, %v", c.in, n, size, err)
			}
		} else if !errors.As(err, &e) || e.Reason != c.reason || e.Offset != c.at || n != 0 || size != 0 {
			t.Errorf("%q: %d, %d, %v, want %v at byte %d", c.in, n, size, err, c.reason, c.at)
		}
	}
}

func TestChunkLineBound(t *testing.T) {
	long := "5;a=" + strings.Repeat("b", 300) + "\r\n"
	zeros := strings.Repeat("0", 400)
	for _, c := range []struct {
		in        string
		lim, want int
		tooLong   bool
	}{
		{"5\r\n", 3, 3, false},
		{"5\r\n", 2, 0, true},
		{"5\r", 3, 0, false},
		{"55\r\n", 3, 0, true},
		{"55", 3, 0, false},
		{"555", 3, 0, true},
		{long, len(long), len(long), false},
		{long, len(long) - 1, 0, true},
		{long, 0, 0, true},
		{long[:255], 0, 0, false},
		{long[:256], 0, 0, true},
		{long, -1, len(long), false},
		{zeros, 0, 0, true},
		{zeros, -1, 0, false},
	} {
		n, _, err := NextChunkLine([]byte(c.in), c.lim)
		var e *Error
		if tooLong := errors.As(err, &e) && e.Reason == ReasonChunkTooLong; n != c.want || tooLong != c.tooLong || err != nil && !tooLong {
			t.Errorf("%d bytes, at most %d: %d, %v", len(c.in), c.lim, n, err)
		}
	}
}

func TestChunkLineAnySplit(t *testing.T) {
	for _, s := range append(chunkSamples, "\r\n", "\rx", "5\rx", "5;a\r\r\n", "5;a=\"\r\n", "5 \r\n", "zz\r\n", "5;a=\"\\\rb") {
		for i := range s {
			for _, c := range []byte("\r\n \t;=\"\\a\x00\xff") {
				b := []byte(s)
				b[i] = c
				for lim := 1; lim < len(b)+2; lim++ {
					wantN, wantSize, wantErr := NextChunkLine(b, lim)
					for cut := range len(b) {
						n, size, err := NextChunkLine(b[:cut:cut], lim)
						if n == 0 && err == nil {
							continue
						}
						if n != wantN || size != wantSize || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
							t.Fatalf("%q cut at %d, at most %d: %d, %d, %v; at once %d, %d, %v", b, cut, lim, n, size, err, wantN, wantSize, wantErr)
						}
					}
				}
			}
		}
	}
}
