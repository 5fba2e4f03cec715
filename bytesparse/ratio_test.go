package bytesparse

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// Ratios to W, the walk of bench_test.go, in one run: the two alternate in slices of some
// microseconds, so that both see the same machine, and the median of the ratios is reported.

// ratio returns how many times as long f takes as base, both called with 0, 1, …
func ratio(b *testing.B, f, base func(i int)) {
	const calls = 64
	turn := func(f func(int), from int) time.Duration {
		begun := time.Now()
		for i := range calls {
			f(from + i)
		}
		return time.Since(begun)
	}
	var all []float64
	at := 0
	for b.Loop() {
		all = append(all, float64(turn(f, at))/float64(turn(base, at)))
		at += calls
	}
	slices.Sort(all)
	b.ReportMetric(all[len(all)/2], "xW")
	b.ReportMetric(0, "ns/op")
}

func walkLines(head []byte) (lines int) {
	for p := 0; p < len(head); lines++ {
		p += bytes.IndexByte(head[p:], '\n') + 1
	}
	return lines
}

// onePass is one search through all of head but its last byte.
func onePass(head []byte) int { return bytes.IndexByte(head, 0) }

var sink int

// BenchmarkRatio compares the parser with W, a head with a 4 KiB cookie also
// with one bytes.IndexByte pass over it.
func BenchmarkRatio(b *testing.B) {
	heads := func(b *testing.B, heads [][]byte, base func([]byte) int) {
		h := Head{Fields: make([]Field, 0, 32)}
		mask := len(heads) - 1
		ratio(b, func(i int) {
			head := heads[i&mask]
			if n, err := h.ParseRequest(head, nil); n != len(head) {
				b.Fatal(n, err)
			}
		}, func(i int) { sink += base(heads[i&mask]) })
	}
	benchLevels(b, func(b *testing.B) {
		benchHeads(b, func(b *testing.B, list [][]byte) { heads(b, list, walkLines) })
		b.Run("cookie4k-pass", func(b *testing.B) { heads(b, [][]byte{[]byte(cookieHead)}, onePass) })
		b.Run("response", func(b *testing.B) {
			var h Head
			head := []byte(responseHead)
			ratio(b, func(int) {
				if n, err := h.ParseResponse(head, nil); n != len(head) {
					b.Fatal(n, err)
				}
			}, func(int) { sink += walkLines(head) })
		})
	})
}

// responseHead is what a server behind a cache sends.
const responseHead = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: example/1.2\r\n" +
	"Content-Type: text/html; charset=utf-8\r\nContent-Length: 48213\r\nCache-Control: max-age=3600, public\r\n" +
	"ETag: \"5f3a-9c2e17\"\r\nVary: Accept-Encoding\r\nX-Cache: HIT\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n"
