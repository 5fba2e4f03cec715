// Whole chunked bodies: two ways to read one, split anywhere, and the standard library's
// result.

package fuzz

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
)

// readChunks decodes body, offered in segments, with room bytes at a time: 0 in
// place, -1 by Next. It returns the data, what was consumed, and the error.
func readChunks(body []byte, lim *bytesparse.ChunkLimits, room int, segment func() int) (data []byte, used int, err error) {
	var c bytesparse.Chunked
	own := bytes.Clone(body)
	for end := 0; ; {
		for {
			src := own[used:end:end]
			var n, k int
			if room < 0 {
				var ev bytesparse.ChunkEvent
				if n, ev, err = c.Next(src, lim); ev == bytesparse.ChunkData {
					data = append(data, src[:n]...)
				}
			} else {
				dst := src
				if room > 0 {
					dst = make([]byte, room)
				}
				k, n, err = c.Decode(dst, src, lim)
				data = append(data, dst[:k]...)
			}
			if err != nil {
				err.(*bytesparse.Error).Offset += used
				return data, used, err
			}
			if used += n; n+k == 0 {
				break
			}
		}
		if int64(len(data)) != c.Read || c.Left < 0 {
			return nil, 0, fmt.Errorf("%d bytes, says %d read and %d left", len(data), c.Read, c.Left)
		}
		if end == len(own) {
			return data, used, nil
		}
		end = min(len(own), end+segment())
	}
}

var chunkLimits = []*bytesparse.ChunkLimits{nil, {Line: 9, Overhead: 8, Body: 12}, {Line: -1, Overhead: -1, Body: -1}}

// FuzzChunked requires the same result for a body however it is read, and the same data from
// the standard library if bytesparse accepts all of it. cuts chooses one of fifteen ways to
// read.
func FuzzChunked(f *testing.F) {
	for _, s := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "5;a=b;c=\"d\\\"\"\r\nhello\r\n00\r\nX: y\r\n\r\n", strings.Repeat("3\r\nabc\r\n", 9) + "10\r\n0123456789abcdef\r\n0\r\n\r\nGET",
		"3\nabc\n0\n\n", "3\r\nabcX0\r\n\r\n", "2\r\nxx00\r\n\r\n", "3\r\nabc\r0\r\n\r\n", "ffffffffffffffff\r\nx", "7fffffffffffffff\r\nx", "1;" + strings.Repeat("a", 80) + "\r\nx\r\n0\r\n\r\n",
		"8\r\n01234567\r\n8\r\n01234567\r\n9\r\n012345678\r\n9\r\n012345678\r\n000009\r\n012345678\r\n0\r\n", "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n",
		"3\r\nabc\r\n\r\n0\r\n\r\n", "-1\r\n", "+3\r\nabc\r\n", "3;\r\nabc\r\n0\r\n\r\n", "3;a=\"\r\n0\r\n\r\n\"\r\nabc\r\n", "3\r\r\nabc", "fffffffffffffffff\r\n", "3\x00\r\nabc\r\n",
		"5\t\t;a=b;c=\"d\\\"\"\r\nhello\r\n00\r\nX: y\r\n\r\n",
	} {
		for cuts := range uint64(15) {
			f.Add([]byte(s), cuts, uint8(0))
			f.Add([]byte(s), cuts, uint8(1))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, cuts uint64, how uint8) {
		if len(body) > 2048 {
			return
		}
		lim := chunkLimits[how%3]
		want, used, wantErr := readChunks(body, lim, -1, func() int { return len(body) })
		random := rand.New(rand.NewPCG(cuts, 0))
		room := []int{-1, 0, 1 + random.IntN(9), 64, 4096}[cuts%5]
		segment := []func() int{func() int { return len(body) }, func() int { return 1 }, func() int { return 1 + random.IntN(30) }}[cuts/5%3]
		data, n, err := readChunks(body, lim, room, segment)
		if !bytes.Equal(data, want) || !sameError(err, wantErr) || err == nil && n != used {
			t.Fatalf("%q, %+v, room %d: %q, %d, %v; want %q, %d, %v", body, lim, room, data, n, err, want, used, wantErr)
		}
		var c bytesparse.Chunked
		for p := 0; wantErr == nil && !c.Done(); {
			n, _, err := c.Next(body[p:], lim)
			if p += n; n == 0 || err != nil {
				return // not all there
			}
			if c.Done() {
				theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
				if err != nil && strings.Contains(err.Error(), "chunk length too large") {
					return // more than sixteen digits, zeros included; ours are bounded by the line
				}
				if err != nil && strings.Contains(err.Error(), "too much non-data") {
					return // it has a bound of its own
				}
				if err != nil && strings.Contains(err.Error(), "invalid byte in chunk length") && (bytes.Contains(body, []byte(" ;")) || bytes.Contains(body, []byte("\t;"))) {
					return // blanks before an extension are allowed by RFC 9112 §7.1.1, but not by net/http
				}
				if err != nil || !bytes.Equal(theirs, want) {
					t.Fatalf("%q: %q, but net/http reads %q, %v", body, want, theirs, err)
				}
			}
		}
	})
}
