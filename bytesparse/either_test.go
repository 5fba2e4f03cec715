package bytesparse

import (
	"bytes"
	"strconv"
	"strings"
	"testing"
)

// Searches for one of two bytes, and the functions built on them and on the other kernels.

func TestIndexEitherEverywhere(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		b := bytes.Repeat([]byte("abc"), 120)
		for from := range 80 {
			for n := from; n <= len(b); n += 1 + n/140*17 {
				if got := indexEither(b[:n], from, 'x', 'y'); got != n {
					t.Fatalf("found %d from %d of %d", got, from, n)
				}
				for i, c := range b[:n] {
					for _, b[i] = range []byte("xy") {
						want := i
						if i < from {
							want = n
						}
						if got := indexEither(b[:n], from, 'x', 'y'); got != want {
							t.Fatalf("%q at %d: found %d from %d of %d", b[i], i, got, from, n)
						}
					}
					b[i] = c
				}
			}
		}
	})
}

// BenchmarkChecks measures the checks that setters make of names, targets and values, iterating
// over queries and lists, and decoding, at each level; compare the ns/B.
func BenchmarkChecks(b *testing.B) {
	target := "/static/gallery/2024/11/a-quiet-harbour-at-dawn-wide.jpg?w=1024&h=768"
	query := []byte("q=a%20quiet+harbour&lang=en-GB&page=3&sort=newest&token=" + strings.Repeat("0123456789abcdef", 8))
	plain := []byte(strings.Repeat("a harbour at dawn ", 228))
	list := []byte("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8")
	dst := make([]byte, 0, 8192)
	benchLevels(b, func(b *testing.B) {
		for _, c := range []struct {
			name string
			size int
			f    func() bool
		}{
			{"IsToken", 15, func() bool { return IsToken("X-Request-Start") }},
			{"IsTarget", len(target), func() bool { return IsTarget(target) }},
			{"IsFieldValue", 24, func() bool { return IsFieldValue(target[:24]) }},
			{"IsFieldValue", 200, func() bool { return IsFieldValue(plain[:200]) }},
			{"IsFieldValue", len(plain), func() bool { return IsFieldValue(plain) }},
			{"QueryPairs", len(query), func() bool {
				n := 0
				for name, value := range QueryPairs(query) {
					n += len(name) + len(value)
				}
				return n > 0
			}},
			{"AppendFormUnescaped", len(query), func() bool { dst, _ = AppendFormUnescaped(dst[:0], query); return len(dst) > 0 }},
			{"AppendUnescaped", len(plain), func() bool { dst, _ = AppendUnescaped(dst[:0], plain); return len(dst) > 0 }},
			{"ListItems", len(list), func() bool {
				n := 0
				for _, params := range ListItems(list) {
					n += len(params)
				}
				return n > 0
			}},
		} {
			b.Run(c.name+"/"+strconv.Itoa(c.size), func(b *testing.B) {
				for b.Loop() {
					if !c.f() {
						b.Fatal("a wrong answer")
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.size), "ns/B")
			})
		}
	})
}
