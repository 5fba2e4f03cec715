package bytesparse

import "math/bits"

// The walk over the field lines, from line end to line end along the marks of the block
// scan. Plain lines are handled by plain.go, or before that by the fast walk, in assembly
// or in lines.go. This file handles all other valid lines. At the first invalid one it
// hands over to the judges in fault.go, which examine that line again, byte by byte, and
// say what is wrong with it.

// maxHead bounds what is parsed, so that offsets fit.
const maxHead = 1<<31 - 1

// ParseTrailers parses the trailer section at the start of b: field lines up to
// and including the empty line (RFC 9112 §7.1.2), under the rules for a request's
// fields. Otherwise it works as ParseRequest does. h should be separate from the Head of
// the message, because trailers must not be mixed with its header fields.
func (h *Head) ParseTrailers(b []byte, lim *Limits) (n int, err error) {
	b = b[:min(len(b), maxHead)]
	h.Reset()
	if len(b) == 0 {
		return 0, nil
	}
	h.m.base, h.m.end, h.m.taken = 0, 0, 0
	return h.parseFields(b, 0, lim, false)
}

// parseFields parses the field lines of b from s on, up to the empty line. With
// unfold, folded lines are joined to the one before, in b.
func (h *Head) parseFields(b []byte, s int, lim *Limits, unfold bool) (int, error) {
	m := &h.m
	n, limit := m.taken, lim.fields()
	if n > 0 {
		s = m.line
	}
	fs := h.Fields[:cap(h.Fields)]
	base := s &^ 63
	if base < m.end {
		s, n, base = m.plain(b, fs[:min(limit, len(fs))], s, n)
	}
	for {
		if base >= m.end {
			if base >= len(b) {
				return h.incomplete(fs)
			}
			m.mark(b, base)
			s, n, base = m.plain(b, fs[:min(limit, len(fs))], s, n)
			continue
		}
		x := m.v[uint(base-m.base)>>6%windowBlocks]
		if s > base {
			x &^= 1<<(uint(s-base)&63) - 1
		}
		for x != 0 {
			e := base + bits.TrailingZeros64(x)
			x &= x - 1
			if !isLineEnd(b, e) {
				if isText(b[e]) {
					continue
				}
				return h.badByte(b, fs, n, s, e, unfold)
			}
			x &= x - 1
			if e == s {
				h.Fields, h.Size = fs[:n], e+2
				h.note()
				return e + 2, nil
			}
			if unfold && n > 0 && isOWS(b[s]) {
				join(b, &fs[n-1], s, e)
				s = e + 2
				continue
			}
			if n == limit {
				return h.fault(b, ReasonTooManyFields, s)
			}
			if n == len(fs) {
				fs = moreFields(fs)
			}
			k, id := longName(b[s:e])
			if k == 0 || k == e-s || !tokenBytes(b[s:s+k]) {
				return h.badName(b, s, e, unfold)
			}
			f := &fs[n]
			f.NameOff, f.NameLen, f.ID = uint32(s), uint16(k), id
			f.setValue(b, s+k+1, e)
			s, n = e+2, n+1
		}
		base += 64
	}
}

// note records which fields occur, and which more than once.
func (h *Head) note() {
	var seen, dup uint64
	for i := range h.Fields {
		bit := uint64(1) << (h.Fields[i].ID & 63)
		dup |= seen & bit
		seen |= bit
	}
	h.seen, h.dup = seen, dup
}

// moreFields returns fs with room for at least one more, and for those of a short head.
func moreFields(fs []Field) []Field {
	fs = append(fs, make([]Field, shortFields)...)
	return fs[:cap(fs)]
}

// badByte ends a parse at b[e], which is neither text nor a line end, in the line that
// begins at s, after n fields.
func (h *Head) badByte(b []byte, fs []Field, n, s, e int, unfold bool) (int, error) {
	switch {
	case cutShort(b, e):
		return h.incomplete(fs)
	case unfold && n > 0 && isOWS(b[s]):
		s = join(b, &fs[n-1], s, s)
	}
	return h.fieldFault(b, s)
}

// badName ends a parse at the line b[s:e], which does not begin with a name and a colon.
func (h *Head) badName(b []byte, s, e int, unfold bool) (int, error) {
	for unfold && isLineEnd(b, e) && e+2 < len(b) && isOWS(b[e+2]) { // unfold it: the judge must see the whole line
		b[e], b[e+1] = ' ', ' '
		e = h.m.lineEnd(b, e+2)
	}
	return h.fieldFault(b, s)
}

// incomplete ends a parse of an incomplete head.
func (h *Head) incomplete(fs []Field) (int, error) {
	h.Fields = fs
	h.Reset()
	return 0, nil
}

// setValue sets the field's value to b[s:e] without the white space around it. b[s:e] is
// preceded by a colon and followed by CR, which stop the loops.
func (f *Field) setValue(b []byte, s, e int) {
	for isOWS(b[s]) { // the CR stops it
		s++
	}
	for e > s && isOWS(b[e-1]) {
		e--
	}
	f.ValueOff, f.ValueLen = uint32(s), uint32(e-s)
}

// join appends the folded line b[s:e] to the value of f, the preceding field, and returns
// where that field's line begins. It examines nothing before the line: with many blank
// folded lines it would otherwise go over all of them again for each.
func join(b []byte, f *Field, s, e int) int {
	b[s-2], b[s-1] = ' ', ' '
	for s < e && isOWS(b[s]) {
		s++
	}
	if f.ValueLen == 0 {
		f.ValueOff = uint32(s)
	}
	if s < e {
		for isOWS(b[e-1]) {
			e--
		}
		f.ValueLen = uint32(e) - f.ValueOff
	}
	return int(f.NameOff)
}

// maxName is the longest field name that a Field can describe.
const maxName = 1<<16 - 1

// longName returns the length and the id of the name at the start of the line, up to the
// first colon; the line's length if there is no colon or the name is too long.
func longName(line []byte) (n int, id FieldID) {
	n = indexColon(line, 0)
	if n > maxName {
		return len(line), 0
	}
	return n, LookupField(line[:n])
}
