package writer

// The strategy of this file: the field lines of a message stand in one byte
// arena, in order and exactly as they will leave, so that sending them is one
// copy. Beside it is one small entry per line, and one bit per well-known name,
// so that setting a new field and asking for a known one look at no line at all.
// Replacing and removing move the bytes behind; they are rare.

import (
	"iter"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/pool"
)

const (
	firstArena = 512      // bytes of an arena when it is first needed
	firstLines = 16       // and entries
	keptArena  = 64 << 10 // Reset lets go of an arena above this
	keptLines  = 1 << 10

	// maxArena bounds the arena, so that offsets fit an int32.
	maxArena = 1<<31 - 1

	lineExtra = len(": \r\n")
)

// Headers is the set of fields that a message will be sent with, in order
// (seed: response.setHeader, getHeader, removeHeader, addTrailers). Names are
// compared without regard to case and leave as they were spelled when last set.
//
// The zero value is empty and ready. A Headers is made to be reused: after
// Reset it keeps its memory, and from then on allocates only to grow beyond what
// it held before. It copies all strings it is given. It may be used by one
// goroutine at a time and must not be copied.
type Headers struct {
	arena []byte
	lines []line
	seen  uint64 // bit id: a line with that id is there

	// before counts the lines of the last message that still stand in the memory of
	// arena and lines: those up to len(lines) are in use again, as they were.
	before int
	edits  uint64 // counts what made before start anew, see State

	joined []byte // what Get put together last

	forwarded forwarded // see AddFields
}

// line is one field line in the arena: name, ": ", value, CRLF.
type line struct {
	off  int32 // INVARIANT: the end of the line before
	end  int32
	name int32 // length of the name
	id   bytesparse.FieldID
	only bool // no line before it has its name; false when that is not known
}

func (l line) nameIn(arena []byte) []byte {
	return arena[l.off : l.off+l.name : l.off+l.name] // clipped: an append must not reach what follows
}

func (l line) valueIn(arena []byte) []byte {
	return arena[l.off+l.name+2 : l.end-2 : l.end-2]
}

// Set makes name have the given values, one field line for each, in place of
// any it had; the new lines stand where the first of the old ones stood, or at
// the end. Without values it removes the field, as Remove does.
//
// The error is a *FieldError, and then nothing has changed: name must be a
// token (RFC 9110 §5.1) and a value free of CR, LF, NUL and other control bytes
// except HTAB (RFC 9110 §5.5).
func (h *Headers) Set(name string, values ...string) error {
	if len(values) == 1 && h.again(name, values[0]) {
		return nil
	}
	id := bytesparse.LookupField(name)
	if id == bytesparse.FieldOther && !bytesparse.IsToken(name) {
		return badName(name)
	}
	if len(values) == 1 && h.seen>>(id&63)&1 == 0 {
		return h.add(id, name, values[0])
	}
	for _, v := range values {
		if i := bytesparse.IndexControl(v); i >= 0 {
			return badValue(name, v, i)
		}
	}
	return h.replace(id, name, values)
}

// again takes the next line of the last message back into use if it says the same,
// and reports whether it did. Most answers of a server have the same fields in the
// same order: then nothing is looked up, judged or copied.
func (h *Headers) again(name, value string) bool {
	k := len(h.lines)
	if k >= h.before || k >= cap(h.lines) {
		return false
	}
	l, at := &h.lines[:k+1][k], len(h.arena)
	end := at + len(name) + len(value) + lineExtra
	if int(l.name) != len(name) || int(l.end) != end || end > cap(h.arena) || !l.only {
		return false
	}
	if !sameLine(h.arena[:end], at, name, value) {
		return false
	}
	h.seen |= 1 << (l.id & 63)
	h.arena = h.arena[:end]
	h.lines = h.lines[:k+1]
	return true
}

// Add appends one field line and leaves lines of the same name alone. Errors
// are those of Set.
func (h *Headers) Add(name, value string) error {
	if h.again(name, value) {
		return nil
	}
	id := bytesparse.LookupField(name)
	if id == bytesparse.FieldOther && !bytesparse.IsToken(name) {
		return badName(name)
	}
	return h.add(id, name, value)
}

// add appends a line whose name is good.
func (h *Headers) add(id bytesparse.FieldID, name, value string) error {
	if i := bytesparse.IndexControl(value); i >= 0 {
		return badValue(name, value, i)
	}
	if !h.fits(len(name) + len(value) + lineExtra) {
		return tooLong(name)
	}
	h.push(id, name, value, !h.Has(id))
	return nil
}

// Get returns the value of the field called name, nil when there is none. The
// values of several lines are joined with ", " (RFC 9110 §5.3), those of Cookie
// with "; " (RFC 6265 §5.4); of Set-Cookie, which cannot be joined, it returns
// the first. The result is a view, valid until the next change of h, or, when it
// was joined, until the next Get. It allocates only to grow the buffer for
// joining.
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
	for i := range h.lines {
		if l := h.lines[i]; l.id == id {
			return l.valueIn(h.arena)
		}
	}
	return nil
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
		for i := range h.lines {
			l := h.lines[i]
			if !yield(l.nameIn(h.arena), l.valueIn(h.arena)) {
				return
			}
		}
	}
}

// Remove removes every line of the field called name.
func (h *Headers) Remove(name string) {
	id := bytesparse.LookupField(name)
	if i := h.next(0, id, name); i >= 0 {
		h.removeFrom(i, id, name)
	}
}

// Has reports whether a well-known field is there, by one bit; for FieldOther,
// whether any field is that is not well-known.
func (h *Headers) Has(id bytesparse.FieldID) bool { return h.seen>>(id&63)&1 != 0 }

// HasAny reports whether any of several well-known fields is there: set has bit
// id for each.
func (h *Headers) HasAny(set uint64) bool { return h.seen&set != 0 }

// Len returns the number of field lines.
func (h *Headers) Len() int { return len(h.lines) }

// Size returns the number of bytes that Append appends.
func (h *Headers) Size() int { return len(h.arena) }

// Append appends all field lines, each with its CRLF, in one copy. The empty
// line that ends a head is the caller's.
func (h *Headers) Append(dst []byte) []byte { return append(dst, h.arena...) }

// State is a number that stands for what the fields are: as long as it is the same,
// and Len is, so is what Append appends, also across Reset. A sender may keep what
// it made of them.
func (h *Headers) State() uint64 { return h.edits }

// forget notes that the lines of the last message are none to go by.
func (h *Headers) forget() {
	h.before = 0
	h.edits++
}

// Reset removes everything and keeps the memory, unless it is exceptionally
// much (above 64 KiB). With galedebug, views that are still held turn to poison.
func (h *Headers) Reset() {
	h.before = max(h.before, len(h.lines))
	if pool.Debug || cap(h.arena) > keptArena || cap(h.lines) > keptLines {
		h.forget()
		h.forwarded.stands = false
	}
	pool.Poison(h.arena)
	pool.Poison(h.joined)
	h.arena, h.lines, h.joined, h.seen = h.arena[:0], h.lines[:0], h.joined[:0], 0
	if cap(h.arena) > keptArena {
		h.arena = nil
	}
	if cap(h.joined) > keptArena {
		h.joined = nil
	}
	if cap(h.lines) > keptLines {
		h.lines = nil
	}
}

// next returns the index of the first line from i on that is called name, whose
// id is id; -1 when there is none.
func (h *Headers) next(i int, id bytesparse.FieldID, name string) int {
	if !h.Has(id) {
		return -1
	}
	for ; i < len(h.lines); i++ {
		if h.is(h.lines[i], id, name) {
			return i
		}
	}
	return -1
}

// is tells whether a line is called name, whose id is id.
func (h *Headers) is(l line, id bytesparse.FieldID, name string) bool {
	return l.id == id && (id != bytesparse.FieldOther ||
		int(l.name) == len(name) && bytesparse.EqualFold(l.nameIn(h.arena), name))
}

// fits tells whether the arena may grow by n bytes.
func (h *Headers) fits(n int) bool { return n <= maxArena-len(h.arena) }

// push appends a line.
func (h *Headers) push(id bytesparse.FieldID, name, value string, only bool) {
	h.forget()
	if len(h.arena) < h.forwarded.end {
		h.forwarded.stands = false
	}
	if h.arena == nil {
		h.arena, h.lines = make([]byte, 0, firstArena), make([]line, 0, firstLines)
	}
	off := int32(len(h.arena))
	h.arena = append(append(append(append(h.arena, name...), ": "...), value...), "\r\n"...)
	h.lines = append(h.lines, line{off: off, end: int32(len(h.arena)), name: int32(len(name)), id: id, only: only})
	h.seen |= 1 << (id & 63)
}
