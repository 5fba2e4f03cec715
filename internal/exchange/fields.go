// Fields as the seed presents them: names in lower case, several lines of one
// name merged by the seed's rules (IncomingMessage, message.headers).

package exchange

import (
	"iter"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// single holds the fields that make sense only once: the first line counts, the others are ignored.
const single uint64 = 1<<bytesparse.FieldAge |
	1<<bytesparse.FieldAuthorization |
	1<<bytesparse.FieldContentLength |
	1<<bytesparse.FieldContentType |
	1<<bytesparse.FieldETag |
	1<<bytesparse.FieldExpires |
	1<<bytesparse.FieldFrom |
	1<<bytesparse.FieldHost |
	1<<bytesparse.FieldIfModifiedSince |
	1<<bytesparse.FieldIfUnmodifiedSince |
	1<<bytesparse.FieldLastModified |
	1<<bytesparse.FieldLocation |
	1<<bytesparse.FieldMaxForwards |
	1<<bytesparse.FieldProxyAuthorization |
	1<<bytesparse.FieldReferer |
	1<<bytesparse.FieldRetryAfter |
	1<<bytesparse.FieldServer |
	1<<bytesparse.FieldUserAgent

// perValue holds the fields that are kept apart, one entry for each line.
const perValue uint64 = 1<<bytesparse.FieldCookie | 1<<bytesparse.FieldSetCookie

// Header returns the value of the field called name, merged by the seed's rules: lists joined with
// ", ", single-valued fields and those with an entry per value (cookie, set-cookie) by their first
// line. It returns nil when there is none. Only a name that is not well-known, or occurs more than
// once, takes a search. Host is the authority of a target that has one (RFC 9112 §3.2.2).
func (in *Incoming) Header(name string) []byte {
	h, b := &in.Head, in.head
	id := bytesparse.LookupField(name)
	if id == bytesparse.FieldOther {
		if i := h.NextNamed(b, name, -1); i >= 0 {
			return in.merged(h, b, i, name)
		}
		return nil
	}
	switch {
	case id == bytesparse.FieldHost:
		return h1.Authority(b, h)
	case !h.Dup(id):
		return h.Value(b, id)
	}
	return in.merged(h, b, h.Index(id), name)
}

func isNamed[T string | []byte](h *bytesparse.Head, b []byte, i int, id bytesparse.FieldID, name T) bool {
	f := h.Fields[i]
	if f.ID != id {
		return false
	}
	return id != bytesparse.FieldOther || int(f.NameLen) == len(name) && bytesparse.EqualFold(f.NameOf(b), name)
}

// merged returns the value of the field at index first, merged with those of the same name behind
// it.
func (in *Incoming) merged(h *bytesparse.Head, b []byte, first int, name string) []byte {
	f := h.Fields[first]
	value := f.ValueOf(b)
	if id := f.ID; id != bytesparse.FieldOther && (single|perValue)>>id&1 != 0 {
		return value
	}
	return joined(in, h, b, first, name)
}

// joined joins the values of all lines of one name with ", ".
func joined[T string | []byte](in *Incoming, h *bytesparse.Head, b []byte, first int, name T) []byte {
	value := h.Fields[first].ValueOf(b)
	id := h.Fields[first].ID
	from, several := in.hold(), false
	for i := first + 1; i < len(h.Fields); i++ {
		if !isNamed(h, b, i, id, name) {
			continue
		}
		if !several {
			in.arena = append(in.arena, value...)
			several = true
		}
		in.arena = append(in.arena, ", "...)
		in.arena = append(in.arena, h.Fields[i].ValueOf(b)...)
	}
	if !several {
		return value
	}
	return in.arena[from:len(in.arena):len(in.arena)]
}

// Headers iterates over the fields with lower-cased names, merged: one entry per name, except
// cookie and set-cookie, which have one per line.
func (in *Incoming) Headers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) { in.each(&in.Head, in.head, yield) }
}

// RawHeaders iterates over the field lines as they were received.
func (in *Incoming) RawHeaders() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) { raw(&in.Head, in.head, yield) }
}

// Trailers iterates over the trailers as Headers does over the fields; there are
// none until the body has been read to its end.
func (in *Incoming) Trailers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if in.section != nil {
			in.each(&in.trailers, in.section, yield)
		}
	}
}

// RawTrailers iterates over the trailer lines as they were received.
func (in *Incoming) RawTrailers() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if in.section != nil {
			raw(&in.trailers, in.section, yield)
		}
	}
}

func raw(h *bytesparse.Head, b []byte, yield func(name, value []byte) bool) {
	for _, f := range h.Fields {
		if !yield(f.NameOf(b), f.ValueOf(b)) {
			return
		}
	}
}

func (in *Incoming) each(h *bytesparse.Head, b []byte, yield func(name, value []byte) bool) {
	t := in.names
	in.names = names{} // a nested iteration makes its own
	grouped := t.group(h, b)
	defer func() { in.names = t.kept() }()
	for i, f := range h.Fields {
		name, value := f.NameOf(b), f.ValueOf(b)
		switch {
		case f.ID == bytesparse.FieldOther && grouped:
			if t.last[i] == repeated {
				continue
			}
			value = in.chained(h, b, i, t.next)
		case f.ID == bytesparse.FieldOther:
			if !first(h, b, i) {
				continue
			}
			value = joined(in, h, b, i, name)
		case perValue>>f.ID&1 != 0:
		case f.ID == bytesparse.FieldHost && h.Index(f.ID) == i:
			value = h1.Authority(b, h)
		case h.Index(f.ID) != i:
			continue
		case h.Dup(f.ID) && single>>f.ID&1 == 0:
			value = joined(in, h, b, i, name)
		}
		if !yield(in.lower(name), value) {
			return
		}
	}
}

// chained is joined for a line of a known group: next leads to the other lines.
func (in *Incoming) chained(h *bytesparse.Head, b []byte, first int, next []int32) []byte {
	value := h.Fields[first].ValueOf(b)
	if next[first] == 0 {
		return value
	}
	from := in.hold()
	in.arena = append(in.arena, value...)
	for i := next[first]; i != 0; i = next[i] {
		in.arena = append(append(in.arena, ", "...), h.Fields[i].ValueOf(b)...)
	}
	return in.arena[from:len(in.arena):len(in.arena)]
}

// first reports whether line i, whose name is not well-known, is the first of its name.
func first(h *bytesparse.Head, b []byte, i int) bool {
	for j := range i {
		if isNamed(h, b, j, bytesparse.FieldOther, h.Fields[i].NameOf(b)) {
			return false
		}
	}
	return true
}

// lower returns name in lower case: name itself, when it came so.
func (in *Incoming) lower(name []byte) []byte {
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			from := in.hold()
			in.arena = append(in.arena, name...)
			low := in.arena[from:len(in.arena):len(in.arena)]
			for ; i < len(low); i++ {
				if 'A' <= low[i] && low[i] <= 'Z' {
					low[i] += 'a' - 'A'
				}
			}
			return low
		}
	}
	return name
}
