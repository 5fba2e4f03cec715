// The head of a message going out: what the application has set, reconciled with how the message
// will leave.

package exchange

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// head plans the message and appends its head. body is the length of the whole
// body when it is known.
func (out *Outgoing) head(body int64) error {
	r, h := &out.reply, &out.Headers
	*r = h1.Reply{Length: h1.Unknown, Body: body}
	if h.HasAny(framingFields) {
		if err := describe(r, h); err != nil {
			return err
		}
	}
	if err := out.Plan(r, &out.plan); err != nil {
		return err
	}
	out.headDone = true
	if out.plan.Framing == h1.UntilClose {
		out.Stream.SetIncomplete(true)
	}
	if out.plan.Suppress {
		return nil
	}
	if h.HasAny(framingFields) {
		out.drop()
	}
	dst := out.Start(out.buf)
	dst = h.Append(dst)
	if !out.NoDate && !h.Has(bytesparse.FieldDate) {
		dst = out.Date.Append(dst)
	}
	out.buf = AppendFraming(dst, &out.plan)
	return nil
}

// framingFields are those that the machine must know about, and may have to drop.
const framingFields uint64 = 1<<bytesparse.FieldContentLength |
	1<<bytesparse.FieldTransferEncoding |
	1<<bytesparse.FieldConnection |
	1<<bytesparse.FieldTrailer

// describe tells the machine what the application has set.
func describe(r *h1.Reply, h *writer.Headers) error {
	if h.Has(bytesparse.FieldContentLength) {
		n, ok := bytesparse.ParseUint(h.Only(bytesparse.FieldContentLength)) // several lines are no number
		if !ok {
			return ErrBadLength
		}
		r.Length = n
	}
	if h.Has(bytesparse.FieldTransferEncoding) {
		r.HasCoding = true
		r.Chunked = bytesparse.EqualFold(h.Only(bytesparse.FieldTransferEncoding), "chunked")
	}
	r.Trailer = h.Has(bytesparse.FieldTrailer)
	if h.Has(bytesparse.FieldConnection) {
		for value := range h.Values("Connection") {
			r.Connection |= h1.ParseConnection(value)
		}
	}
	return nil
}

// drop removes what the application has set and the message cannot have.
func (out *Outgoing) drop() {
	if out.plan.DropLength {
		out.Headers.Remove("Content-Length")
	}
	if out.plan.DropCoding {
		out.Headers.Remove("Transfer-Encoding")
	}
	if out.plan.DropConnection {
		out.dropKeepAlive()
	}
}

// dropKeepAlive removes keep-alive from Connection and leaves other options: those that name fields
// keep intermediaries from passing these on (RFC 9110 §7.6.1).
func (out *Outgoing) dropKeepAlive() {
	var room [64]byte
	others := room[:0]
	for value := range out.Headers.Values("Connection") {
		for {
			option, rest, ok := bytesparse.NextToken(value)
			if !ok {
				break
			}
			if value = rest; bytesparse.EqualFold(option, "keep-alive") {
				continue
			}
			if len(others) > 0 {
				others = append(others, ", "...)
			}
			others = append(others, option...)
		}
	}
	if len(others) == 0 {
		out.Headers.Remove("Connection")
		return
	}
	_ = out.Headers.Set("Connection", string(others)) // its bytes have been accepted before
}

// AppendFraming appends what the plan adds to a head, and its end.
func AppendFraming(dst []byte, p *h1.Plan) []byte {
	if p.AddLength {
		dst = writer.AppendUint(append(dst, "Content-Length: "...), uint64(p.AddedLength))
		if p.KeepAlive && !p.AddKeepAlive {
			return append(dst, "\r\n\r\n"...)
		}
		dst = append(dst, "\r\n"...)
	}
	if p.AddChunked {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	if p.AddClose {
		dst = append(dst, "Connection: close\r\n"...)
	}
	if p.AddKeepAlive {
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}
