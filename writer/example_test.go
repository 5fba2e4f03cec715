package writer_test

// How the pieces make up a message.

import (
	"fmt"

	"github.com/gale-http/gale/writer"
)

// A whole response with a chunked body and a trailer.
func Example() {
	var h, trailers writer.Headers
	h.Set("Content-Type", "text/plain")
	h.Set("Transfer-Encoding", "chunked")
	h.Set("Trailer", "X-Took")
	trailers.Set("X-Took", "3")
	var date writer.Date
	date.Update(784111777)

	b := writer.AppendStatusLine(nil, 200, "")
	b = date.Append(b)
	b = h.Append(b)
	b = append(b, "\r\n"...)
	b = writer.AppendChunk(b, []byte("hello"))
	b = writer.AppendLastChunk(b, &trailers)
	fmt.Printf("%q\n", b)
	// Output: "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\nTrailer: X-Took\r\n\r\n5\r\nhello\r\n0\r\nX-Took: 3\r\n\r\n"
}

func ExampleHeaders() {
	var h writer.Headers
	h.Set("Content-Type", "text/html")
	h.Add("Vary", "Accept")
	h.Add("Vary", "Origin")
	h.Set("content-type", "text/plain")

	fmt.Printf("%s\n", h.Get("VARY"))
	for name, value := range h.All() {
		fmt.Printf("%s = %s\n", name, value)
	}
	fmt.Println(h.Set("Location", "/\r\nX-Injected: yes"))
	// Output:
	// Accept, Origin
	// content-type = text/plain
	// Vary = Accept
	// Vary = Origin
	// writer: field "Location": the value has byte 0xd at offset 1
}

func ExampleStatusText() {
	fmt.Println(writer.StatusText(404))
	// Output: Not Found
}
