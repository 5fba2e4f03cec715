// What of a message is forwarded to its next recipient (RFC 9110 §7.6.1).

package exchange

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/writer"
)

// hopByHop are the fields that are for one connection only, or that each sender sets itself.
const hopByHop uint64 = 1<<bytesparse.FieldConnection | 1<<bytesparse.FieldKeepAlive |
	1<<bytesparse.FieldTransferEncoding | 1<<bytesparse.FieldUpgrade | 1<<bytesparse.FieldTE |
	1<<bytesparse.FieldProxyAuthorization | 1<<bytesparse.FieldProxyAuthenticate |
	1<<bytesparse.FieldProxyConnection | 1<<bytesparse.FieldExpect

// once are the fields that a message has only once: where h has one already, that stays.
const once = single | 1<<bytesparse.FieldDate |
	1<<bytesparse.FieldContentRange | 1<<bytesparse.FieldContentLocation | 1<<bytesparse.FieldContentDisposition

// EndToEnd appends to h the fields that are forwarded, without those in drop, which has a bit for
// each. Fields that Connection names are not forwarded, except for what every message needs.
func (in *Incoming) EndToEnd(h *writer.Headers, drop uint64) error {
	before := h.Len()
	if in.Head.Has(bytesparse.FieldContentLength) && in.Conn.Framing() == h1.None && !in.validLength() {
		drop |= 1 << bytesparse.FieldContentLength
	}
	if err := h.AddFields(&in.Head, in.head, hopByHop|drop|h.Among(once)); err != nil {
		return err
	}
	if in.Head.Has(bytesparse.FieldConnection) {
		in.removeNamed(h, before)
	}
	return nil
}

// removeNamed removes from h, other than among the first n lines, the fields that Connection names.
// What that costs is in proportion to the head, however much it names.
func (in *Incoming) removeNamed(h *writer.Headers, n int) {
	known, others, t := uint64(0), false, in.names
	t.slots, in.names = t.slots[:0], names{}
	for i := in.Head.NextIndex(bytesparse.FieldConnection, -1); i >= 0; i = in.Head.NextIndex(bytesparse.FieldConnection, i) {
		value := in.Head.Fields[i].ValueOf(in.head)
		if bytesparse.EqualFold(value, "keep-alive") || bytesparse.EqualFold(value, "close") {
			continue // as nearly always
		}
		for {
			option, rest, ok := bytesparse.NextToken(value)
			if !ok {
				break
			}
			value = rest
			switch id := bytesparse.LookupField(option); {
			case id != bytesparse.FieldOther:
				known |= 1 << id
			case !in.Head.Has(id):
			case len(t.slots) > 0 || t.group(&in.Head, in.head):
				t.mark(&in.Head, in.head, option)
			default: // there are few: each is looked for
				others = true
			}
		}
	}
	var named func(name []byte) bool
	switch {
	case len(t.slots) > 0:
		named = func(name []byte) bool { return t.marked(&in.Head, in.head, name) }
	case others:
		named = in.isOption
	}
	h.RemoveNamed(n, known&^(1<<bytesparse.FieldHost|1<<bytesparse.FieldContentLength), named)
	in.names = t.kept()
}

// isOption reports whether Connection names the field called name.
func (in *Incoming) isOption(name []byte) bool {
	for i := in.Head.NextIndex(bytesparse.FieldConnection, -1); i >= 0; i = in.Head.NextIndex(bytesparse.FieldConnection, i) {
		for rest := in.Head.Fields[i].ValueOf(in.head); ; {
			option, more, ok := bytesparse.NextToken(rest)
			if !ok {
				break
			}
			if bytesparse.EqualFold(option, name) {
				return true
			}
			rest = more
		}
	}
	return false
}

// validLength reports whether the Content-Length of a message without a body, such as the answer to
// HEAD, may be forwarded: nothing has validated it before (RFC 9112 §6.3).
func (in *Incoming) validLength() bool {
	_, ok := bytesparse.ParseUint(in.Head.Value(in.head, bytesparse.FieldContentLength))
	return ok && !in.Head.Dup(bytesparse.FieldContentLength) && !in.Head.Has(bytesparse.FieldTransferEncoding)
}

// Withheld reports whether the sender of a request waits for a 100, as far as can be told: it has
// announced that, and nothing of the body has come (RFC 9110 §10.1.1).
func (in *Incoming) Withheld() bool {
	return !in.done && in.Conn.ExpectContinue() && in.Conn.BodyRead() == 0 && in.pending == 0 && in.start == in.end
}

// HasTrailers reports whether trailers have come.
func (in *Incoming) HasTrailers() bool { return in.section != nil }

// TakeWhole returns the body, a view until the message is over, when all of it has come and its
// length was declared, or when there is none. Nothing is left to be read then.
func (in *Incoming) TakeWhole() (body []byte, ok bool) {
	if !in.done || in.Conn.Framing() == h1.Chunked || in.Conn.Framing() == h1.UntilClose {
		return nil, false
	}
	body = in.buf[in.start : in.start+in.pending]
	in.start += in.pending
	in.pending = 0
	return body, true
}
