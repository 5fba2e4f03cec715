// What a message costs: the figures that PERF.md may quote.

package h1

import (
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

const browser = "GET /assets/app.js?v=1.2.3 HTTP/1.1\r\nHost: www.example.com\r\nConnection: keep-alive\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9,de;q=0.8\r\nReferer: https://www.example.com/index.html\r\n" +
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=yes\r\nCache-Control: no-cache\r\nPragma: no-cache\r\n\r\n"

func benchmarkHead(b *testing.B, request string) {
	data := []byte(request)
	var c Conn
	var h bytesparse.Head
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if n, ev, _ := c.NextHead(data, false, &h, nil); n != len(data) || ev != HeadDone {
			b.Fatal(n, ev)
		}
		if _, ev, _ := c.Next(nil, false, nil, nil); ev != End {
			b.Fatal(ev)
		}
	}
}

// BenchmarkHello is a whole small request; BenchmarkHelloParse is the part of
// it that is bytesparse's, so the difference is what the machine adds.
func BenchmarkHello(b *testing.B) { benchmarkHead(b, hello) }

func BenchmarkHelloParse(b *testing.B) {
	data := []byte(hello)
	var h bytesparse.Head
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if n, err := h.ParseRequest(data, nil); n != len(data) || err != nil {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkBrowser(b *testing.B) { benchmarkHead(b, browser) }

func benchmarkChunked(b *testing.B, size int) {
	chunk := strings.Repeat("x", size)
	line := map[int]string{16: "10", 4096: "1000"}[size]
	data := []byte(strings.Repeat(line+"\r\n"+chunk+"\r\n", 64) + "0\r\n\r\n")
	request := []byte(head("Transfer-Encoding: chunked\r\n"))
	var c Conn
	var h bytesparse.Head
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		c.NextHead(request, false, &h, nil)
		rest := data
		for ev := NeedMore; ev != End; {
			var n int
			n, ev, _ = c.Next(rest, false, nil, nil)
			rest = rest[n:]
		}
		if len(rest) != 0 || c.BodyRead() != int64(64*size) {
			b.Fatal(len(rest))
		}
	}
}

func BenchmarkChunked16(b *testing.B) { benchmarkChunked(b, 16) }
func BenchmarkChunked4K(b *testing.B) { benchmarkChunked(b, 4096) }
