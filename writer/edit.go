package writer

// Replacing and removing lines, which moves the bytes after them.

import (
	"slices"

	"github.com/gale-http/gale/bytesparse"
)

// putLine writes a line over the start of b and returns the rest of b.
func putLine(b []byte, name, value string) []byte {
	n := copy(b, name)
	b[n], b[n+1] = ':', ' '
	n += 2
	n += copy(b[n:], value)
	b[n], b[n+1] = '\r', '\n'
	return b[n+2:]
}

// replace is Set for several values, none, or a field that is already there. The name and
// the values have been validated.
func (h *Headers) replace(id bytesparse.FieldID, name string, values []string) error {
	size := 0
	for _, v := range values {
		if size += len(name) + len(v) + lineExtra; !h.fits(size) {
			return tooLong(name)
		}
	}
	i := h.next(0, id, name)
	if i < 0 {
		for k, v := range values {
			h.push(id, name, v, k == 0)
		}
		return nil
	}
	if len(values) == 0 {
		h.removeFrom(i, id, name)
		return nil
	}
	if j := h.next(i+1, id, name); j >= 0 {
		h.removeFrom(j, id, name)
	}
	h.splice(i, name, values, size)
	return nil
}

// splice replaces line i by lines of size bytes in all, one for each value.
func (h *Headers) splice(i int, name string, values []string, size int) {
	h.forget()
	h.forwarded.stands = false
	old := h.lines[i]
	grow := size - int(old.end-old.off)
	tail := int(old.end)
	was := len(h.arena)
	if grow > 0 {
		h.arena = slices.Grow(h.arena, grow)
	}
	h.arena = h.arena[:was+max(grow, 0)]
	copy(h.arena[tail+grow:], h.arena[tail:was])
	h.arena = h.arena[:was+grow]

	for more := len(values) - 1; more > 0; more-- {
		h.lines = append(h.lines, line{})
	}
	copy(h.lines[i+len(values):], h.lines[i+1:])
	for j := i + len(values); j < len(h.lines); j++ {
		h.lines[j].off += int32(grow)
		h.lines[j].end += int32(grow)
	}
	off := old.off
	rest := h.arena[off:]
	for k, v := range values {
		rest = putLine(rest, name, v)
		end := off + int32(len(name)+len(v)+lineExtra)
		h.lines[i+k] = line{off: off, end: end, name: len(name), value: len(v), id: old.id, only: k == 0 && old.only}
		off = end
	}
	h.recount(i)
}

// removeFrom removes the lines from i on that are called name, which has that id.
// Line i must be one of them.
func (h *Headers) removeFrom(i int, id bytesparse.FieldID, name string) {
	h.compact(i, func(l *line) bool { return h.is(l, id, name) })
}

// RemoveNamed removes, other than among the first n, the lines of the well-known fields in known, a
// bit for each, and of those others of whose names named reports true. named gets a view; nil
// stands for none of them.
func (h *Headers) RemoveNamed(n int, known uint64, named func(name []byte) bool) {
	for n < h.n && !h.isAmong(&h.lines[n], known, named) {
		n++
	}
	if n < h.n {
		h.compact(n, func(l *line) bool { return h.isAmong(l, known, named) })
	}
}

// compact removes line i, and those after it of which goes reports true.
func (h *Headers) compact(i int, goes func(l *line) bool) {
	h.forget()
	h.forwarded.stands = false
	at, kept := h.lines[i].off, i
	for j := i + 1; j < len(h.lines); j++ {
		if goes(&h.lines[j]) {
			continue
		}
		l := h.lines[j]
		size := int32(copy(h.arena[at:], h.arena[l.off:l.end]))
		l.off, l.end = at, at+size
		h.lines[kept] = l
		at += size
		kept++
	}
	h.arena, h.lines = h.arena[:at], h.lines[:kept]
	h.recount(i)
}

func (h *Headers) isAmong(l *line, known uint64, named func(name []byte) bool) bool {
	if l.id != bytesparse.FieldOther {
		return known>>(l.id&63)&1 != 0
	}
	return named != nil && named(l.nameIn(h.arena))
}
