package bytesparse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The yardstick W is a walk over the same head with bytes.IndexByte, line by
// line, validating nothing: what a parser that only looks for line ends costs.
// Compare BenchmarkRequest/x with BenchmarkIndexByteWalk/x of one run.

const tinyHead = "GET /hello HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"

// browserHead has the shape of what a browser sends: 10 fields, 703 bytes.
var browserHead = pad(703, "GET /static/gallery/2024/11/a-quiet-harbour-at-dawn-wide.jpg HTTP/1.1\r\n"+
	"Host: www.example-gallery.org\r\n"+
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"+
	"Accept: image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\n"+
	"Accept-Language: en-GB,en;q=0.7,fr;q=0.3\r\n"+
	"Accept-Encoding: gzip, deflate, br\r\n"+
	"Accept-Charset: utf-8, iso-8859-1;q=0.5\r\n"+
	"Keep-Alive: 115\r\n"+
	"Connection: keep-alive\r\n"+
	"Referer: https://www.example-gallery.org/\r\n"+
	"Cookie: session=9f8e7d6c5b4a; theme=dark; ")

// apiHead has 9 fields, three of them not well-known, and 430 bytes.
var apiHead = pad(430, "POST /v1/orders/8812/items HTTP/1.1\r\n"+
	"Host: api.example.com\r\n"+
	"User-Agent: orders-client/3.1\r\n"+
	"Accept: application/json\r\n"+
	"Content-Type: application/json\r\n"+
	"Content-Length: 187\r\n"+
	"X-Request-Id: 5c1f3f0e-77aa-4d0a\r\n"+
	"X-B3-TraceId: 80f198ee56343ba864fe8b2a57d3eff7\r\n"+
	"X-B3-SpanId: e457b5a2e4d86bd1\r\n"+
	"Authorization: Bearer ")

var cookieHead = pad(4096, "GET / HTTP/1.1\r\nHost: example.com\r\nCookie: ")

// pad completes an unfinished head to that many bytes.
func pad(size int, head string) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789=; ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	var s strings.Builder
	s.WriteString(head)
	for i := 0; s.Len() < size-5; i++ {
		s.WriteByte(alphabet[i*7%len(alphabet)])
	}
	return s.String() + "x\r\n\r\n"
}

// variedHeads returns n heads with differing fields, orders and lengths, so
// that no branch predictor can learn them.
func variedHeads(n int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(lo, hi int) string {
		b := make([]byte, lo+rnd.IntN(hi-lo))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789;=,/.-"[rnd.IntN(42)]
		}
		return string(b)
	}
	others := []string{
		"Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest", "DNT", "X-Request-Id", "X-Real-IP",
		"sec-ch-ua", "sec-ch-ua-platform", "sec-ch-ua-mobile", "X-Trace", "CF-Ray",
	}
	heads := make([][]byte, n)
	for i := range heads {
		var s strings.Builder
		fmt.Fprintf(&s, "%s /%s HTTP/1.1\r\nHost: %s\r\n", []string{"GET", "GET", "GET", "POST", "PUT"}[rnd.IntN(5)], text(0, 80), text(5, 30))
		for range 4 + rnd.IntN(12) {
			name := fieldNames[1+rnd.IntN(int(numFieldIDs)-1)]
			if rnd.IntN(3) == 0 {
				name = others[rnd.IntN(len(others))]
			}
			fmt.Fprintf(&s, "%s: %s\r\n", name, text(1, 90))
		}
		heads[i] = []byte(s.String() + "\r\n")
	}
	return heads
}

func benchHeads(b *testing.B, run func(b *testing.B, heads [][]byte)) {
	for _, c := range []struct {
		name  string
		heads [][]byte
	}{
		{"tiny", [][]byte{[]byte(tinyHead)}},
		{"api430", [][]byte{[]byte(apiHead)}},
		{"browser703", [][]byte{[]byte(browserHead)}},
		{"varied", variedHeads(1024)},
		{"cookie4k", [][]byte{[]byte(cookieHead)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			for _, h := range c.heads {
				size += len(h)
			}
			b.SetBytes(int64(size / len(c.heads)))
			run(b, c.heads)
		})
	}
}

func BenchmarkRequest(b *testing.B) {
	benchHeads(b, func(b *testing.B, heads [][]byte) {
		h := Head{Fields: make([]Field, 0, 32)}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			head := heads[i&(len(heads)-1)]
			if n, err := h.ParseRequest(head, nil); n != len(head) {
				b.Fatal(n, err)
			}
		}
	})
}

func BenchmarkIndexByteWalk(b *testing.B) {
	benchHeads(b, func(b *testing.B, heads [][]byte) {
		for i := 0; b.Loop(); i++ {
			head := heads[i&(len(heads)-1)]
			lines := 0
			for p := 0; p < len(head); lines++ {
				p += bytes.IndexByte(head[p:], '\n') + 1
			}
			if lines < 2 {
				b.Fatal(lines)
			}
		}
	})
}

func BenchmarkIndexHeadEnd(b *testing.B) {
	benchHeads(b, func(b *testing.B, heads [][]byte) {
		for i := 0; b.Loop(); i++ {
			head := heads[i&(len(heads)-1)]
			if end, _ := IndexHeadEnd(head, 0); end != len(head) {
				b.Fatal(end)
			}
		}
	})
}

// BenchmarkSlow shows that the cost per byte does not grow with the size, on
// the heads of slow: compare the two sizes' ns/B.
func BenchmarkSlow(b *testing.B) {
	for _, size := range []int{1 << 12, 1 << 16} {
		for name, s := range slow(size) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				lim := &Limits{Fields: -1, Target: -1}
				var h Head
				orig, buf := []byte(s), make([]byte, len(s))
				parse := h.ParseRequest
				if orig[0] == 'H' {
					parse = h.ParseResponse
				}
				for b.Loop() {
					copy(buf, orig)
					_, _ = parse(buf, lim)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/B")
			})
		}
	}
}

// BenchmarkByteByByte is the search for a head's end when every byte comes
// alone; ns/B is the constant that the doc comment of IndexHeadEnd speaks of.
func BenchmarkByteByByte(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 16} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			head := []byte(pad(size, "GET / HTTP/1.1\r\nCookie: "))
			for b.Loop() {
				from, end := 0, 0
				for n := 1; end == 0; n++ {
					end, from = IndexHeadEnd(head[:n], from)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/B")
		})
	}
}

func BenchmarkNextChunkLine(b *testing.B) {
	for _, line := range []string{"1000\r\n", "10;ieof\r\n", "5;sig=\"0123456789abcdef\"\r\n"} {
		b.Run(line[:len(line)-2], func(b *testing.B) {
			for p := []byte(line); b.Loop(); {
				if n, _, err := NextChunkLine(p, 0); n == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	b.Run("field", func(b *testing.B) {
		for b.Loop() {
			if LookupField("Content-Length") != FieldContentLength {
				b.Fatal()
			}
		}
	})
	b.Run("method", func(b *testing.B) {
		for m := []byte("PATCH"); b.Loop(); {
			if LookupMethod(m) != MethodPatch {
				b.Fatal()
			}
		}
	})
}

func filled(n int, c byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = c
	}
	return b
}
