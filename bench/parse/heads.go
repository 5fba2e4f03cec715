package main

// The heads: short ones, those of browsers and programs, many different ones, one with a
// very long value, and a response.

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/valyala/fasthttp"
)

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

// utf8Head and tabHead are browserHead with four bytes of obs-text in its second field, and with a tab.
var (
	utf8Head = strings.Replace(browserHead, "Mozilla/5.0 ", "Mozïllà/5.", 1)
	tabHead  = strings.Replace(browserHead, "Mozilla/5.0 (", "Mozilla/5.0\t(", 1)
)

// programHead has 9 fields, three of them not well-known, and 430 bytes.
var programHead = pad(430, "POST /v1/orders/8812/items HTTP/1.1\r\n"+
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

const responseHead = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: example/1.2\r\n" +
	"Content-Type: text/html; charset=utf-8\r\nContent-Length: 48213\r\nCache-Control: max-age=3600, public\r\n" +
	"ETag: \"5f3a-9c2e17\"\r\nVary: Accept-Encoding\r\nX-Cache: HIT\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n"

// pad completes an unfinished head to size bytes.
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
	names := []string{
		"User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Cookie", "Referer", "Origin", "Authorization", "Content-Type",
		"Cache-Control", "Connection", "If-None-Match", "If-Modified-Since", "Pragma", "Upgrade-Insecure-Requests", "X-Forwarded-For",
		"Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest", "DNT", "X-Request-Id", "X-Real-IP", "sec-ch-ua", "sec-ch-ua-platform",
	}
	heads := make([][]byte, n)
	for i := range heads {
		var s strings.Builder
		fmt.Fprintf(&s, "%s /%s HTTP/1.1\r\nHost: h%d.example.org\r\n", []string{"GET", "GET", "GET", "HEAD", "OPTIONS"}[rnd.IntN(5)],
			strings.Trim(text(0, 80), ";"), rnd.IntN(1000))
		for range 4 + rnd.IntN(12) {
			fmt.Fprintf(&s, "%s: %s\r\n", names[rnd.IntN(len(names))], text(1, 90))
		}
		heads[i] = []byte(s.String() + "\r\n")
	}
	return heads
}

func headContests() []contest {
	one := func(s string) [][]byte { return [][]byte{[]byte(s)} }
	list := []contest{
		{"tiny GET", requests(one(tinyHead))},
		{"program, 430 bytes", requests(one(programHead))},
		{"browser, 703 bytes", requests(one(browserHead))},
		{"browser with UTF-8", requests(one(utf8Head))},
		{"browser with a tab", requests(one(tabHead))},
		{"1024 varied heads", requests(variedHeads(1024))},
		{"4 KiB cookie", requests(one(cookieHead))},
		{"response", responses([]byte(responseHead))},
	}
	// For the long value, a single search through all of it is another yardstick.
	long := []byte(cookieHead)
	pass := candidate{"one bytes.IndexByte pass", func(int) { must(bytes.IndexByte(long, 0) < 0) }}
	list = append(list, contest{"4 KiB cookie, to one pass", []candidate{pass, gale(one(cookieHead))}})
	return list
}

// walk is the yardstick W. Here and below the number of heads is a power of two: a division
// would take a tenth of the time of a short head.
func walk(heads [][]byte) candidate {
	return candidate{"W: lines by bytes.IndexByte", func(i int) {
		head := heads[i&(len(heads)-1)]
		lines := 0
		for p := 0; p < len(head); lines++ {
			p += bytes.IndexByte(head[p:], '\n') + 1
		}
		must(lines > 1)
	}}
}

func gale(heads [][]byte) candidate {
	h := bytesparse.Head{Fields: make([]bytesparse.Field, 0, 32)}
	return candidate{"bytesparse", func(i int) {
		head := heads[i&(len(heads)-1)]
		n, err := h.ParseRequest(head, nil)
		must(err == nil && n == len(head))
	}}
}

func requests(heads [][]byte) []candidate {
	var fast fasthttp.RequestHeader
	src := bytes.NewReader(nil)
	buf := bufio.NewReaderSize(src, 8192)
	next := func(i int) {
		src.Reset(heads[i&(len(heads)-1)])
		buf.Reset(src)
	}
	return []candidate{
		walk(heads),
		gale(heads),
		{"fasthttp.RequestHeader.Read", func(i int) {
			next(i)
			must(fast.Read(buf) == nil)
		}},
		{"http.ReadRequest", func(i int) {
			next(i)
			_, err := http.ReadRequest(buf)
			must(err == nil)
		}},
	}
}

func responses(head []byte) []candidate {
	h := bytesparse.Head{Fields: make([]bytesparse.Field, 0, 32)}
	var fast fasthttp.ResponseHeader
	src := bytes.NewReader(nil)
	buf := bufio.NewReaderSize(src, 8192)
	next := func() {
		src.Reset(head)
		buf.Reset(src)
	}
	return []candidate{
		walk([][]byte{head}),
		{"bytesparse", func(int) {
			n, err := h.ParseResponse(head, nil)
			must(err == nil && n == len(head))
		}},
		{"fasthttp.ResponseHeader.Read", func(int) {
			next()
			must(fast.Read(buf) == nil)
		}},
		{"http.ReadResponse", func(int) {
			next()
			_, err := http.ReadResponse(buf, nil)
			must(err == nil)
		}},
	}
}

// must ends the program if a candidate did not do its work.
func must(ok bool) {
	if !ok {
		panic("a wrong answer")
	}
}
