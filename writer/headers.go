package writer

// The strategy of this file: the field lines of a message stand in one byte
// arena, in order and exactly as they will leave, so that sending them is one
// copy. Beside it is one small entry per line, which knows what well-known names
// there are up to it, so that setting a new field and asking for a known one look at no
// other line. Replacing and removing move the bytes behind; they are rare.
//
// Behind the lines of a message, those of the last one stand as they were. Where the
// next line to be set is the next one there, it is enough to count it.

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/sys"
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
	arena []byte // the lines; behind those in use, some of the last message
	lines []line // likewise
	n     int    // how many are in use
	edits uint64 // counts what made the others be none to go by, see State
	fit   uint64 // edits, when the memory was last found to be no more than what is kept

	joined []byte // what Get put together last

	forwarded forwarded // see AddFields
}

// line is one field line in the arena: name, ": ", value, CRLF.
type line struct {
	off, end int32  // INVARIANT: off is the end of the line before
	seen     uint64 // bit id: a line with that id is there, up to this one
	id       bytesparse.FieldID
	only     bool // no line before it has its name; false when that is not known

	name, value int // their lengths
	// nameAt and valueAt are where they came from when both were constants of the program,
	// see sys.Constant, and the line the only one of its name; else 0.
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

// seen has bit id: a line with that id is there.
func (h *Headers) seen() uint64 {
	if h.n == 0 {
		return 0
	}
	return h.lines[h.n-1].seen
}

// Set makes name have the given values, one field line for each, in place of
// any it had; the new lines stand where the first of the old ones stood, or at
// the end. Without values it removes the field, as Remove does.
//
// The error is a *FieldError, and then nothing has changed: name must be a
// token (RFC 9110 §5.1) and a value free of CR, LF, NUL and other control bytes
// except HTAB (RFC 9110 §5.5).
func (h *Headers) Set(name string, values ...string) error {
	if len(values) == 1 && h.follows(name, values[0]) {
		h.n++
		return nil
	}
	return h.set(name, values)
}

// set is Set of what follows does not know.
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

// Add appends one field line and leaves lines of the same name alone. Errors
// are those of Set.
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

// Remove removes every line of the field called name.
func (h *Headers) Remove(name string) {
	id := bytesparse.LookupField(name)
	if i := h.next(0, id, name); i >= 0 {
		h.removeFrom(i, id, name)
	}
}

// Has reports whether a well-known field is there, by one bit; for FieldOther,
// whether any field is that is not well-known.
func (h *Headers) Has(id bytesparse.FieldID) bool { return h.seen()>>(id&63)&1 != 0 }

// HasAny reports whether any of several well-known fields is there: set has bit
// id for each.
func (h *Headers) HasAny(set uint64) bool { return h.seen()&set != 0 }

// Among returns those of several well-known fields that are there: a bit for each, as in set.
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

// Append appends all field lines, each with its CRLF, in one copy. The empty
// line that ends a head is the caller's.
func (h *Headers) Append(dst []byte) []byte { return append(dst, h.arena[:h.Size()]...) }

// State is a number that stands for what the fields are: as long as it is the same,
// and Len is, so is what Append appends, also across Reset. A sender may keep what
// it made of them.
func (h *Headers) State() uint64 { return h.edits }

// forget drops what stands behind the lines in use, before something is changed.
func (h *Headers) forget() {
	h.arena, h.lines = h.arena[:h.Size()], h.used()
	h.edits++
}

// Reset removes everything and keeps the memory, unless it is exceptionally
// much (above 64 KiB). With galedebug, views that are still held turn to poison.
func (h *Headers) Reset() {
	h.n = 0
	if pool.Debug || h.edits != h.fit {
		h.refit()
	}
}

// refit is Reset of what has changed since, and may be too large to keep.
func (h *Headers) refit() {
	if pool.Debug || cap(h.arena) > keptArena || cap(h.lines) > keptLines || cap(h.joined) > keptArena {
		h.resetAll()
	}
	h.fit = h.edits
}

// resetAll is Reset that keeps no more than it should.
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

// next returns the index of the first line from i on that is called name, whose
// id is id; -1 when there is none.
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

// is reports whether a line is called name, whose id is id.
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

// append appends l, whose bytes stand at the end of the arena. There is nothing behind the
// lines in use.
func (h *Headers) append(l line) {
	l.seen = h.seen() | 1<<(l.id&63)
	h.lines = append(h.lines, l)
	h.n++
}

// recount makes the lines from i on, which may have changed places, the last ones in use, and
// each know what there is up to it.
func (h *Headers) recount(i int) {
	h.n = i
	for ; i < len(h.lines); i++ {
		h.lines[i].seen = h.seen() | 1<<(h.lines[i].id&63)
		h.n++
	}
}
