package main

// Chunked bodies: each decoder gathers the payload of a 64 KiB body in one buffer.
// Copying that payload is the yardstick.

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

const payload = 64 << 10

func chunkContests() []contest {
	var list []contest
	for _, size := range []int{4096, 256, 16} {
		list = append(list, contest{fmt.Sprintf("chunks of %d bytes", size), decoders(size)})
	}
	return list
}

func decoders(size int) []candidate {
	plain := bytes.Repeat([]byte("0123456789abcdef"), payload/16)
	var coded []byte
	for p := 0; p < payload; p += size {
		coded = fmt.Appendf(coded, "%x\r\n%s\r\n", size, plain[p:p+size])
	}
	coded = append(coded, "0\r\n\r\n"...)
	message := append([]byte("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), coded...)

	dst := make([]byte, payload)
	check := func(n int, err error) { must(err == nil && n == payload && dst[0] == '0' && dst[n-1] == 'f') }
	var head bytesparse.Head
	src := bytes.NewReader(nil)
	return []candidate{
		{"copy", func(int) { check(copy(dst, plain), nil) }},
		{"gale's message machine", func(int) { check(decode(message, &head, dst)) }},
		{"httputil.NewChunkedReader", func(int) {
			src.Reset(coded)
			check(io.ReadFull(httputil.NewChunkedReader(src), dst))
		}},
	}
}

// decode reads a whole message and copies its body to dst.
func decode(data []byte, head *bytesparse.Head, dst []byte) (int, error) {
	var c h1.Conn
	c.Reset(h1.Server)
	n, _, err := c.NextHead(data, true, head, nil)
	written := 0
	for err == nil && !c.Done() {
		data = data[n:]
		var k int
		if k, n, err = c.Decode(dst[written:], data, nil); k+n == 0 && err == nil {
			n, _, err = c.Next(data, true, nil, nil)
		}
		written += k
	}
	return written, err
}
