// Reading a header set: the values of one name, and all lines.

package writer

import (
	"iter"

	"github.com/gale-http/gale/bytesparse"
)

// Get returns the value of the field called name, nil when there is none. The
// values of several lines are joined with ", " (RFC 9110 §5.3), those of Cookie
// with "; " (RFC 6265 §5.4); of Set-Cookie, which cannot be joined, it returns
// the first. The result is a view, valid until the next change of h or, if it was
// joined, until the next Get. It allocates only to grow the buffer used for joining.
func (h *Headers) Get(name string) []byte {
	id := bytesparse.LookupField(name)
	i := h.next(0, id, name)
	if i < 0 {
		return nil
	}
	first := h.lines[i].valueIn(h.arena)
	if id == bytesparse.FieldSetCookie {
		return first
	}
	i = h.next(i+1, id, name)
	if i < 0 {
		return first
	}
	sep := ", "
	if id == bytesparse.FieldCookie {
		sep = "; "
	}
	h.joined = append(h.joined[:0], first...)
	for ; i >= 0; i = h.next(i+1, id, name) {
		h.joined = append(h.joined, sep...)
		h.joined = append(h.joined, h.lines[i].valueIn(h.arena)...)
	}
	return h.joined
}

// Value returns the first value of a well-known field, nil when there is none.
// It is a view, valid until the next change of h.
func (h *Headers) Value(id bytesparse.FieldID) []byte {
	if id == bytesparse.FieldOther || !h.Has(id) {
		return nil
	}
	for i := range h.used() {
		if l := &h.lines[i]; l.id == id {
			return l.valueIn(h.arena)
		}
	}
	return nil
}

// Only returns the value of a well-known field that has exactly one line, nil when it has
// none or several. It is a view, valid until the next change of h.
func (h *Headers) Only(id bytesparse.FieldID) (value []byte) {
	if id == bytesparse.FieldOther || !h.Has(id) {
		return nil
	}
	for i := range h.used() {
		if l := &h.lines[i]; l.id == id {
			if value != nil {
				return nil
			}
			value = l.valueIn(h.arena)
		}
	}
	return value
}

// Values iterates over the values of the field called name, line by line. Each
// is a view, valid until the next change of h, and h must not be changed while
// iterating.
func (h *Headers) Values(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		id := bytesparse.LookupField(name)
		for i := h.next(0, id, name); i >= 0; i = h.next(i+1, id, name) {
			if !yield(h.lines[i].valueIn(h.arena)) {
				return
			}
		}
	}
}

// All iterates over names, as they were spelled, and values, line by line.
// Both are views, valid until the next change of h, and h must not be changed
// while iterating.
func (h *Headers) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for i := range h.used() {
			l := &h.lines[i]
			if !yield(l.nameIn(h.arena), l.valueIn(h.arena)) {
				return
			}
		}
	}
}
