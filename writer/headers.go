package writer

// The field lines of a message are kept in one byte arena, in order and exactly as they
// will be sent, so that sending them is one copy. A small entry per line records which
// well-known names occur up to that line, so that neither setting a new field nor asking
// whether a well-known one is there examines any other line. Replacing and removing lines
// moves the bytes after them; both are rare.
//
// After the lines of the current message, the arena still holds those of the previous
// one. If the next line to be set equals the next one there, counting it is enough.

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/sys"
	"github.com/gale-http/gale/pool"
)

const (
	firstArena = 512      // initial capacity of the arena, in bytes
	firstLines = 16       // initial capacity of lines
	keptArena  = 64 << 10 // Reset drops an arena with more capacity than this
	keptLines  = 1 << 10  // likewise, in lines

	// maxArena bounds the arena, so that offsets fit an int32.
	maxArena = 1<<31 - 1

	lineExtra = len(": \r\n")
)

// Headers is the list of fields that a message will be sent with, in order
// (seed: response.setHeader, getHeader, removeHeader, addTrailers). Names are
// compared without regard to case and are sent as they were spelled when last set.
//
// The zero value is empty and ready for use. A Headers is meant to be reused: Reset
// keeps its memory, and it then allocates only to grow beyond what it held before. It
// copies all strings it is given. It may be used by one goroutine at a time and must
// not be copied.
type Headers struct {
	arena []byte // the lines; after those in use, some of the previous message
	lines []line // likewise
	n     int    // number of lines in use
	edits uint64 // counts the changes that invalidate the lines after those in use; see State
	fit   uint64 // the value of edits when refit last checked the capacities

	joined []byte // the last result that Get joined

	forwarded forwarded // see AddFields
}

// line is one field line in the arena: name, ": ", value, CRLF.
type line struct {
	off, end int32  // INVARIANT: off is the end of the previous line
	seen     uint64 // bit id: this line or one before it has that id
	id       bytesparse.FieldID
	only     bool // no line before it has its name; false if that is not known

	name, value int // lengths
	// nameAt and valueAt are the addresses of the name and the value the line was made of, if
	// both were constants of the program (see sys.Constant) and only is true; otherwise 0.
	nameAt, valueAt uintptr
}

func (l *line) nameIn(arena []byte) []byte {
	end := int(l.off) + l.name
	return arena[l.off:end:end] // clipped: an append must not reach what follows
}

func (l *line) valueIn(arena []byte) []byte {
	end := l.end - 2
	return arena[int(end)-l.value : end : end]
}

// used returns the lines in use.
func (h *Headers) used() []line { return h.lines[:h.n] }

// seen returns a set of bits: bit id says that there is a line with that id.
func (h *Headers) seen() uint64 {
	if h.n == 0 {
		return 0
	}
	return h.lines[h.n-1].seen
}

// Set gives the field called name the given values, one field line for each, in place of
// any it had. The new lines take the place of the first of the old ones, or are appended.
// Without values it removes the field, as Remove does.
//
// The error is a *FieldError, and then nothing has changed: name must be a token (RFC 9110
// §5.1), and values must be free of control bytes other than HTAB (RFC 9110 §5.5), so of
// CR, LF and NUL.
func (h *Headers) Set(name string, values ...string) error {
	if len(values) == 1 && h.follows(name, values[0]) {
		h.n++
		return nil
	}
	return h.set(name, values)
}

// set is Set for a line that follows does not recognise.
func (h *Headers) set(name string, values []string) error {
	if len(values) == 1 && h.again(name, values[0]) {
		return nil
	}
	id := bytesparse.LookupField(name)
	if id == bytesparse.FieldOther && !bytesparse.IsToken(name) {
		return badName(name)
	}
	if len(values) == 1 && !h.Has(id) {
		return h.add(id, name, values[0])
	}
	for _, v := range values {
		if i := bytesparse.IndexControl(v); i >= 0 {
			return badValue(name, v, i)
		}
	}
	return h.replace(id, name, values)
}

// Add appends one field line and keeps existing lines of the same name. Errors are those
// of Set.
func (h *Headers) Add(name, value string) error {
	if h.follows(name, value) {
		h.n++
		return nil
	}
	if h.again(name, value) {
		return nil
	}
	id := bytesparse.LookupField(name)
	if id == bytesparse.FieldOther && !bytesparse.IsToken(name) {
		return badName(name)
	}
	return h.add(id, name, value)
}

// add appends a line whose name has been validated.
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

// Remove removes every line of the field called name.
func (h *Headers) Remove(name string) {
	id := bytesparse.LookupField(name)
	if i := h.next(0, id, name); i >= 0 {
		h.removeFrom(i, id, name)
	}
}

// Has reports whether the well-known field with that id is there; for FieldOther, whether
// there is any field that is not well-known. It is a single bit test.
func (h *Headers) Has(id bytesparse.FieldID) bool { return h.seen()>>(id&63)&1 != 0 }

// HasAny reports whether any of several well-known fields is there: set has the bit 1<<id
// of each.
func (h *Headers) HasAny(set uint64) bool { return h.seen()&set != 0 }

// Among returns which of the fields in set are there: a bit for each, as in set.
func (h *Headers) Among(set uint64) uint64 { return h.seen() & set }

// Len returns the number of field lines.
func (h *Headers) Len() int { return h.n }

// Size returns the number of bytes that Append appends.
func (h *Headers) Size() int {
	if h.n == 0 {
		return 0
	}
	return int(h.lines[h.n-1].end)
}

// Append appends all field lines, each with its CRLF, in one copy. The caller adds the
// empty line that ends a head.
func (h *Headers) Append(dst []byte) []byte { return append(dst, h.arena[:h.Size()]...) }

// State returns a number that identifies the contents: as long as State and Len return the
// same values, Append appends the same bytes, even across Reset. A sender may therefore
// cache what it made of the fields.
func (h *Headers) State() uint64 { return h.edits }

// forget drops the lines after those in use, before a change.
func (h *Headers) forget() {
	h.arena, h.lines = h.arena[:h.Size()], h.used()
	h.edits++
}

// Reset removes all fields. It keeps the memory, unless there is exceptionally much of it
// (more than 64 KiB). With -tags galedebug, it poisons the memory that earlier results are
// views of.
func (h *Headers) Reset() {
	h.n = 0
	if pool.Debug || h.edits != h.fit {
		h.refit()
	}
}

// refit is the part of Reset that is needed after a change: the memory may have become too
// large to keep.
func (h *Headers) refit() {
	if pool.Debug || cap(h.arena) > keptArena || cap(h.lines) > keptLines || cap(h.joined) > keptArena {
		h.resetAll()
	}
	h.fit = h.edits
}

// resetAll drops the previous message's lines and whatever is too large to keep.
func (h *Headers) resetAll() {
	h.forget()
	h.forwarded.stands = false
	pool.Poison(h.arena[:cap(h.arena)])
	pool.Poison(h.joined)
	h.joined = h.joined[:0]
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

// next returns the index of the first line from i on that is called name, which has that
// id; -1 when there is none.
func (h *Headers) next(i int, id bytesparse.FieldID, name string) int {
	if !h.Has(id) {
		return -1
	}
	for lines := h.used(); i < len(lines); i++ {
		if h.is(&lines[i], id, name) {
			return i
		}
	}
	return -1
}

// is reports whether a line is called name, which has that id.
func (h *Headers) is(l *line, id bytesparse.FieldID, name string) bool {
	return l.id == id && (id != bytesparse.FieldOther ||
		l.name == len(name) && bytesparse.EqualFold(l.nameIn(h.arena), name))
}

// fits reports whether the arena may grow by n bytes.
func (h *Headers) fits(n int) bool { return n <= maxArena-h.Size() }

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
	l := line{off: off, end: int32(len(h.arena)), name: len(name), value: len(value), id: id, only: only}
	if n, v := sys.Constant(name), sys.Constant(value); only && n != 0 && v != 0 {
		l.nameAt, l.valueAt = n, v
	}
	h.append(l)
}

// append appends l, whose bytes are at the end of the arena. There must be no lines after
// those in use.
func (h *Headers) append(l line) {
	l.seen = h.seen() | 1<<(l.id&63)
	h.lines = append(h.lines, l)
	h.n++
}

// recount takes all lines from i on into use, which may have moved, and recomputes their
// seen.
func (h *Headers) recount(i int) {
	h.n = i
	for ; i < len(h.lines); i++ {
		h.lines[i].seen = h.seen() | 1<<(h.lines[i].id&63)
		h.n++
	}
}
