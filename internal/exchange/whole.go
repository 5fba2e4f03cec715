// The answer that nearly all are: whole, and much like the last one.

package exchange

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// EndWhole is End for the answer that nearly all are: nothing of it has been sent,
// the application has said nothing about framing, the peer allows everything, and
// line is its start line. It says what Plan and head would, in one go. When the
// message is not that plain it reports false and has done nothing.
func (out *Outgoing) EndWhole(line string, p []byte) (done bool, err error) {
	h := &out.Headers
	if out.headDone || out.ended || out.err != nil || out.NoDate ||
		len(p) > copyLimit || h.Size() > copyLimit || h.HasAny(framingFields) {
		return false, nil
	}
	out.buf = append(append(out.buf, out.usual.head(out, line, len(p))...), p...)
	out.headDone, out.ended = true, true
	out.sent = int64(len(p))
	out.plan = h1.Plan{Framing: h1.Length, Length: out.sent, Body: true, KeepAlive: true}
	if len(out.buf) > BufferSize/2 {
		return true, out.Flush()
	}
	return true, nil
}

// usualHead is a head as EndWhole said it last: that of the next answer is often the
// same, byte by byte.
type usualHead struct {
	bytes  []byte
	line   string // its start line
	fields uint64 // writer.Headers.State
	lines  int    // and Len
	unix   int64  // of its date
	body   int    // its Content-Length
}

// head returns the head that EndWhole is to say.
func (u *usualHead) head(out *Outgoing, line string, body int) []byte {
	h, unix := &out.Headers, out.Date.Unix()
	if u.lines == h.Len() && u.fields == h.State() && u.unix == unix && u.body == body && u.line == line {
		return u.bytes
	}
	dst := h.Append(append(u.bytes[:0], line...))
	if !h.Has(bytesparse.FieldDate) {
		dst = out.Date.Append(dst)
	}
	dst = writer.AppendUint(append(dst, "Content-Length: "...), uint64(body))
	*u = usualHead{append(dst, "\r\n\r\n"...), line, h.State(), h.Len(), unix, body}
	return u.bytes
}
