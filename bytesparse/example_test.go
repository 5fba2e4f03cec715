// How to use the package on its own.

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

// The caller decides how long the body is, once, from the whole head, and refuses whatever
// two parties could read differently (RFC 9112 §6.3).
func ExampleHead_ParseRequest_body() {
	length := func(b []byte, h *bytesparse.Head) (n int64, chunked, ok bool) {
		counted, coded := h.Has(bytesparse.FieldContentLength), h.Has(bytesparse.FieldTransferEncoding)
		switch {
		case counted && coded, h.Dup(bytesparse.FieldContentLength), h.Dup(bytesparse.FieldTransferEncoding):
			return 0, false, false
		case coded:
			return 0, true, h.Minor > 0 && bytesparse.EqualFold(h.Value(b, bytesparse.FieldTransferEncoding), "chunked")
		case counted:
			n, ok = bytesparse.ParseUint(h.Value(b, bytesparse.FieldContentLength))
			return n, false, ok
		}
		return 0, false, true
	}
	var h bytesparse.Head
	for _, fields := range []string{"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: +5\r\n",
		"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n"} {
		b := []byte("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n")
		if _, err := h.ParseRequest(b, nil); err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(length(b, &h))
	}
	// Output:
	// 0 false true
	// 5 false true
	// 0 true true
	// 0 false false
	// 0 false false
	// 0 false false
}

// Fields of any name, and all fields of one name.
func ExampleHead_NextNamed() {
	b := []byte("GET / HTTP/1.1\r\nHost: a\r\nX-Tag: 1\r\nVia: 1.1 b\r\nx-tag: 2\r\n\r\n")
	var h bytesparse.Head
	if _, err := h.ParseRequest(b, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q %q %v\n", h.ValueNamed(b, "X-TAG"), h.ValueNamed(b, "host"), h.ValueNamed(b, "X") == nil)
	for i := h.NextNamed(b, "X-Tag", -1); i >= 0; i = h.NextNamed(b, "X-Tag", i) {
		fmt.Printf("%s=%s ", h.Fields[i].NameOf(b), h.Fields[i].ValueOf(b))
	}
	fmt.Println(h.NextNamed(b, "via", -1), h.NextNamed(b, "via", 2))
	// Output:
	// "1" "a" true
	// X-Tag=1 x-tag=2 2 -1
}

// The end of a head that arrives in pieces is searched for, each time from where the last
// search stopped; then the head is parsed once.
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

// A chunked body is decoded in place, in as many pieces as it arrives in. A trailer section
// follows the last chunk.
func ExampleChunked() {
	var c bytesparse.Chunked
	var buf []byte
	for _, piece := range []string{"5\r\nhello\r\n2\r", "\n, \r\n5;sig=x\r\nwor", "ld\r\n0\r\nChecksum: 1\r\n\r\n"} {
		buf = append(buf, piece...)
		for {
			data, n, err := c.Decode(buf, buf, nil)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Printf("%s", buf[:data])
			if buf = buf[n:]; data+n == 0 {
				break
			}
		}
	}
	var trailers bytesparse.Head
	n, err := trailers.ParseTrailers(buf, nil)
	fmt.Println("\n", c.Read, "bytes,", len(trailers.Fields), "trailer,", len(buf)-n, "bytes left,", err)
	// Output:
	// hello, world
	//  12 bytes, 1 trailer, 0 bytes left, <nil>
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

// The pairs of a query are first separated and then decoded, if there is anything to decode.
func ExampleQueryPairs() {
	_, query := bytesparse.CutQuery([]byte("/search?q=salt+%26+pepper&page=2&debug"))
	var buf []byte
	for name, value := range bytesparse.QueryPairs(query) {
		if bytesparse.IndexEscape(value) >= 0 {
			var err error
			if buf, err = bytesparse.AppendFormUnescaped(buf[:0], value); err != nil {
				fmt.Println(err)
				return
			}
			value = buf
		}
		fmt.Printf("%s: %q\n", name, value)
	}
	// Output:
	// q: "salt & pepper"
	// page: "2"
	// debug: ""
}

func ExampleListItems() {
	accept := []byte(`text/html, application/json;q=0.9;v="1", */*;q=0`)
	for item, params := range bytesparse.ListItems(accept) {
		weight, ok := bytesparse.ParseQuality(params)
		fmt.Printf("%s %d %v\n", item, weight, ok)
	}
	// Output:
	// text/html 1000 true
	// application/json 900 true
	// */* 0 true
}
