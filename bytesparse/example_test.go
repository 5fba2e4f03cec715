// How the package is used by itself.

package bytesparse_test

import (
	"errors"
	"fmt"

	"github.com/gale-http/gale/bytesparse"
)

func ExampleHead_ParseRequest() {
	buf := []byte("GET /index.html HTTP/1.1\r\nHost: example.com\r\nX-Trace: 7\r\n\r\nwhat follows")

	var h bytesparse.Head
	n, err := h.ParseRequest(buf, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s, HTTP/1.%d, %d bytes\n", h.Method, h.Target.Of(buf), h.Minor, n)
	fmt.Printf("host %s\n", h.Value(buf, bytesparse.FieldHost))
	for _, f := range h.Fields {
		fmt.Printf("%s = %s\n", f.NameOf(buf), f.ValueOf(buf))
	}
	// Output:
	// GET /index.html, HTTP/1.1, 59 bytes
	// host example.com
	// Host = example.com
	// X-Trace = 7
}

// A head that arrives in pieces is searched for its end, from where the last
// search stopped, and parsed once.
func ExampleIndexHeadEnd() {
	var buf []byte
	next := 0
	for _, piece := range []string{"GET / HT", "TP/1.1\r\nHost: a\r", "\n\r", "\nGET /2"} {
		buf = append(buf, piece...)
		var end int
		end, next = bytesparse.IndexHeadEnd(buf, next)
		if end == 0 {
			fmt.Println("not yet")
			continue
		}
		var h bytesparse.Head
		n, err := h.ParseRequest(buf, nil)
		fmt.Println(n, err, len(buf)-n, "bytes of the next")
	}
	// Output:
	// not yet
	// not yet
	// not yet
	// 27 <nil> 6 bytes of the next
}

func ExampleError() {
	var h bytesparse.Head
	_, err := h.ParseRequest([]byte("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), nil)

	var e *bytesparse.Error
	if errors.As(err, &e) && e.Reason == bytesparse.ReasonSpaceBeforeColon {
		fmt.Println(e)
	}
	// Output:
	// bytesparse: blank before colon at byte 20
}

// A chunked body is decoded where it lies: size line, data, CRLF, until a chunk
// of size 0 and the trailer section behind it.
func ExampleNextChunkLine() {
	b := []byte("5\r\nhello\r\n7;sig=x\r\n, world\r\n0\r\nChecksum: 1\r\n\r\n")
	for {
		n, size, err := bytesparse.NextChunkLine(b, 0)
		if n == 0 {
			fmt.Println(err)
			return
		}
		b = b[n:]
		if size == 0 {
			break
		}
		fmt.Printf("%s", b[:size])
		b = b[size+2:] // a real decoder checks the CR and LF
	}
	var trailers bytesparse.Head
	n, err := trailers.ParseTrailers(b, nil)
	fmt.Println("\n", len(trailers.Fields), "trailer,", len(b)-n, "bytes left,", err)
	// Output:
	// hello, world
	//  1 trailer, 0 bytes left, <nil>
}

func ExampleNextToken() {
	list := []byte("gzip, deflate;q=0.5,, br ")
	for {
		token, rest, ok := bytesparse.NextToken(list)
		if !ok {
			break
		}
		fmt.Printf("%q ", token)
		list = rest
	}
	fmt.Println(bytesparse.ContainsToken([]byte("keep-alive, Upgrade"), "upgrade"))
	// Output:
	// "gzip" "deflate;q=0.5" "br" true
}
