// Round trip: the parser reads what was put into writer.

package fuzz

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// FuzzWriter sets fields with arbitrary names and values. Except for those that the setters
// refuse, all of them come back, in order, and nothing else does: no value can end its line,
// its head or its chunk.
func FuzzWriter(f *testing.F) {
	f.Add(200, "OK", "X-A", "b", "X-Long-Name-Of-A-Field-Nobody-Knows", "v\tw", []byte("hello"))
	f.Add(404, "", "Set-Cookie", "a\r\nb: c", "Content-Length\r\n", "5", []byte{})
	f.Add(599, "a\x00", "", "x", "Transfer-Encoding ", "chunked", []byte("0\r\n\r\n"))
	f.Add(100, "\xff", "host", " \t ", "HOST", "\xff\xfe", []byte("\r\n"))
	f.Fuzz(func(t *testing.T, status int, reason, name1, value1, name2, value2 string, data []byte) {
		if status < 200 || status > 999 || status == 204 || status == 304 || !bytesparse.IsFieldValue(reason) {
			return
		}
		var h writer.Headers
		var want [][2]string
		for _, field := range [][2]string{{name1, value1}, {name2, value2}, {name1, value2}} {
			if id := bytesparse.LookupField(field[0]); id == bytesparse.FieldTransferEncoding || id == bytesparse.FieldContentLength {
				continue // those are the framing's
			}
			if err := h.Add(field[0], field[1]); err == nil {
				want = append(want, [2]string{field[0], strings.Trim(field[1], " \t")})
			} else if bytesparse.IsToken(field[0]) && bytesparse.IsFieldValue(field[1]) {
				t.Fatalf("%q: %v", field, err)
			}
		}
		want = append(want, [2]string{"Transfer-Encoding", "chunked"})
		out := writer.AppendStatusLine(nil, status, reason)
		out = h.Append(out)
		out = writer.AppendField(out, "Transfer-Encoding", "chunked")
		out = append(out, "\r\n"...)
		out = writer.AppendChunk(out, data)
		out = writer.AppendChunk(out, data)
		var trailers writer.Headers
		if trailers.Add(name1, value1) != nil {
			trailers.Reset()
		}
		out = writer.AppendLastChunk(out, &trailers)

		var c h1.Conn
		c.Reset(h1.Client)
		var head, tail bytesparse.Head
		n, ev, err := c.NextHead(out, true, &head, nil)
		if ev != h1.HeadDone || err != nil || c.Status() != status {
			t.Fatalf("%q: %v, %v, %d", out, ev, err, c.Status())
		}
		var got [][2]string
		for _, f := range head.Fields {
			got = append(got, [2]string{string(f.NameOf(out)), string(f.ValueOf(out))})
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: fields %q, want %q", out, got, want)
		}
		var body []byte
		room := make([]byte, 1+len(data))
		for rest := out[n:]; ; {
			k, n, err := c.Decode(room, rest, nil)
			if body = append(body, room[:k]...); err == nil && k+n == 0 {
				if n, ev, err = c.Next(rest, true, &tail, nil); ev == h1.Data {
					body = append(body, rest[:n]...)
				}
			}
			if rest = rest[n:]; err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if c.Done() {
				if len(rest) != 0 {
					t.Fatalf("%q: %d bytes left", out, len(rest))
				}
				break
			}
		}
		if !bytes.Equal(body, append(bytes.Clone(data), data...)) || len(tail.Fields) != trailers.Len() {
			t.Fatalf("%q: body %q, %d trailers", out, body, len(tail.Fields))
		}
	})
}
