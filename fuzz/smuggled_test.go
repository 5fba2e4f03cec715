// Shapes that have been used for request smuggling, for every target that reads requests:
// in each, two parties saw different messages. They must be refused, or read in the only
// way that the RFCs leave.

package fuzz

import (
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

const (
	post    = "POST / HTTP/1.1\r\nHost: h\r\n"
	chunked = "Transfer-Encoding: chunked\r\n"
	inside  = "GET /inside HTTP/1.1\r\nHost: h\r\n\r\n"
)

var smuggled = []string{
	// Two lengths.
	post + "Content-Length: 4\r\n" + chunked + "\r\n0\r\n\r\n" + inside,
	post + chunked + "Content-Length: 4\r\n\r\n0\r\n\r\n" + inside,
	post + "Content-Length: 0\r\nContent-Length: 35\r\n\r\n" + inside,
	post + "Content-Length: 35\r\nContent-Length: 35\r\n\r\n" + inside,
	post + "Content-Length: 35, 35\r\n\r\n" + inside,
	post + "Content-Length: 0, 35\r\n\r\n" + inside,
	// A length that is read in two ways.
	post + "Content-Length: +35\r\n\r\n" + inside,
	post + "Content-Length: -35\r\n\r\n" + inside,
	post + "Content-Length: 0x23\r\n\r\n" + inside,
	post + "Content-Length: 3_5\r\n\r\n" + inside,
	post + "Content-Length: 3 5\r\n\r\n" + inside,
	post + "Content-Length: 35a\r\n\r\n" + inside,
	post + "Content-Length: \r\n\r\n" + inside,
	post + "Content-Length: 18446744073709551651\r\n\r\n" + inside,
	post + "Content-Length: 9223372036854775808\r\n\r\n" + inside,
	post + "Content-Length: \"35\"\r\n\r\n" + inside,
	// A coding that only one sees.
	post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: \x00chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked\x00\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: chunked\x85\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + inside,
	post + "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inside,
	post + "Transfer-Encoding: \xe2\x84\xaahunked\r\n\r\n" + inside,
	"POST / HTTP/1.0\r\nHost: h\r\n" + chunked + "\r\n0\r\n\r\n" + inside,
	// Chunk lines that are read in two ways.
	post + chunked + "\r\n0x1\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n+1\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n 1\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n1 \r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n1\nZ\n0\n\n" + inside,
	post + chunked + "\r\n1\r\nZ0\r\n\r\n" + inside,
	post + chunked + "\r\n1\r\nZ\rX0\r\n\r\n" + inside,
	post + chunked + "\r\n1;a\nb\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n1;a=\"\r\n0\r\n\r\n\"\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n10000000000000001\r\nZ\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n2;\r\nxx\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n2\r\nxx\r\n;\r\n0\r\n\r\n" + inside,
	post + chunked + "\r\n0\r\nContent-Length: 5\r\nX : y\r\n\r\n" + inside,
	// Lines and heads that end in two places.
	"GET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\n\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\r\n\r\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\r\n \r\nX: y\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\n Host: h\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\r\n: y\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n" + inside,
	// A host, or a target, that is read in two ways.
	"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h@i\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h:80:81\r\n\r\n" + inside,
	"GET / HTTP/1.1\r\nHost: h,i\r\n\r\n" + inside,
	"GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n" + inside,
	"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n" + inside,
	"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n" + inside,
	"GET / / HTTP/1.1\r\nHost: h\r\n\r\n" + inside,
	"GET /\tHTTP/1.1\r\nHost: h\r\n\r\n" + inside,
	"GET / HTTP/1.1\x0b\r\nHost: h\r\n\r\n" + inside,
	"GET / HTTP/1.10\r\nHost: h\r\n\r\n" + inside,
	"GET / http/1.1\r\nHost: h\r\n\r\n" + inside,
	// Unexpected bodies.
	"CONNECT h:1 HTTP/1.1\r\nHost: h\r\nContent-Length: 35\r\n\r\n" + inside,
	"\r\n\r\n" + inside,
}

// legal are those of the above that the rules read in one way only.
var legal = map[string]string{
	post + "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + inside: "an unknown field; five bytes of body, then the request inside is the next one",
	"GET / HTTP/1.1\r\nHost: h,i\r\n\r\n" + inside:                                     "a comma may stand in a registered name (RFC 3986 §3.2.2)",
}

// TestSmuggled checks that none of them gets a hidden request through.
func TestSmuggled(t *testing.T) {
	for _, s := range smuggled {
		var c h1.Conn
		var head, trailers bytesparse.Head
		var targets []string
		data, err := []byte(s), error(nil)
		for err == nil && len(data) > 0 {
			n, ev := 0, h1.NeedMore
			if n, ev, err = c.NextHead(data, true, &head, nil); ev == h1.HeadDone {
				targets = append(targets, string(head.Target.Of(data)))
			}
			for data = data[n:]; ev == h1.HeadDone && err == nil && !c.Done(); data = data[n:] {
				n, _, err = c.Next(data, true, &trailers, nil)
			}
		}
		if seen := strings.Join(targets, " "); legal[s] == "" && (err == nil || strings.Contains(seen, "inside")) || legal[s] != "" && (err != nil || seen != "/ /inside") {
			t.Errorf("%q: %q, %v", s, seen, err)
		}
	}
}
