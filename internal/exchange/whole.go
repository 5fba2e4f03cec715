// The most common answer: complete at once, and much like the last one.

package exchange

import (
	"slices"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// okLine is the start line of what EndWhole sends.
const okLine = "HTTP/1.1 200 OK\r\n"

// EndWhole is End for the most common answer: a 200 of which nothing has been sent, where the
// application has said nothing about framing, and the peer allows everything, except perhaps that
// the connection goes on. It does in one go what Plan and head would do. When the message is not
// that plain it reports false and has done nothing.
func (out *Outgoing) EndWhole(p []byte, keepAlive bool) (done bool, err error) {
	u := &out.usual
	if out.headDone || out.NoDate || out.err != nil {
		return false, nil
	}
	if !u.is(out, len(p), keepAlive) && !u.make(out, len(p), keepAlive) {
		return false, nil
	}
	out.headDone, out.ended = true, true
	out.sent = int64(len(p))
	plan := &out.plan
	*plan = h1.Plan{}
	plan.Framing, plan.Length, plan.Body, plan.KeepAlive = h1.Length, int64(len(p)), true, keepAlive
	copy(u.bytes[u.head:], p)
	if len(out.buf) == 0 && u.short {
		out.lone = true
		return true, nil
	}
	if out.buf = append(out.buf, u.bytes...); len(out.buf) > BufferSize/2 {
		return true, out.Flush()
	}
	return true, nil
}

// gather puts an answer that waits in usual into the buffer, before others come behind it.
func (out *Outgoing) gather() {
	if out.lone {
		out.buf, out.lone = append(out.buf, out.usual.bytes...), false
	}
}

// usualHead is the head that EndWhole has made last, with room for its body: the head of the next
// answer is often the same, byte for byte.
type usualHead struct {
	bytes     []byte // empty: there is no such head
	head      int    // length of the head; the rest is the body's
	fields    uint64 // writer.Headers.State
	lines     int    // and writer.Headers.Len
	unix      int64  // the second of its date
	body      int    // its Content-Length
	keepAlive bool   // it does not mention the connection; else Connection: close
	short     bool   // it may wait alone, so that nothing is copied but the body: see Outgoing.lone
}

// is reports whether u is the head that out needs for a body of that length.
func (u *usualHead) is(out *Outgoing, body int, keepAlive bool) bool {
	return u.keepAlive == keepAlive && u.fields == out.Headers.State() && u.lines == out.Headers.Len() &&
		u.unix == out.Date.Unix() && u.body == body && u.head > 0
}

// make makes u that head, and reports whether EndWhole may send it.
func (u *usualHead) make(out *Outgoing, body int, keepAlive bool) bool {
	h := &out.Headers
	if body > copyLimit || h.Size() > copyLimit || h.HasAny(framingFields) {
		return false
	}
	dst := h.Append(append(u.bytes[:0], okLine...))
	if !h.Has(bytesparse.FieldDate) {
		dst = out.Date.Append(dst)
	}
	dst = writer.AppendUint(append(dst, "Content-Length: "...), uint64(body))
	if !keepAlive {
		dst = append(dst, "\r\nConnection: close"...)
	}
	dst = append(dst, "\r\n\r\n"...)
	head := len(dst)
	dst = slices.Grow(dst, body)[:head+body]
	*u = usualHead{dst, head, h.State(), h.Len(), out.Date.Unix(), body, keepAlive, len(dst) <= BufferSize/2}
	return true
}
