package bytesparse

import "math/bits"

// The walk over the field lines, from line end to line end along the marks of
// the block scan. It is written for lines that are in order; at the first that
// is not, it hands over to the judges in fault.go, which look at that line
// again, byte by byte, and say what is wrong with it. Where the scan has walked
// ahead, it goes on from there.

// maxHead is where offsets stop fitting; no head is that long.
const maxHead = 1<<31 - 1

// ParseTrailers parses the trailer section at the start of b: field lines up to
// and with the empty line (RFC 9112 §7.1.2), under the rules for a request's
// fields. It otherwise works as ParseRequest does. h should be a Head of its
// own, for trailers are not headers.
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
	fs, seen, dup := h.Fields[:cap(h.Fields)], h.seen, h.dup
	for base := s &^ 63; ; base += 64 {
		if base >= m.end {
			if base < len(b) {
				m.mark(b, base)
				base = m.base
			}
			if base >= len(b) {
				return h.incomplete(fs)
			}
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
				h.seen, h.dup = seen, dup
				h.Fields, h.Size = fs[:n], e+2
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
			c, id := shortName(b, s)
			if c < 0 {
				c, id = longName(b[:e], s)
			}
			if c >= e || id == FieldOther && (c == s || !tokenBytes(b[s:c])) {
				return h.badName(b, s, e, unfold)
			}
			f := &fs[n]
			f.NameOff, f.NameLen, f.ID = uint32(s), uint16(c-s), id
			f.setValue(b, c+1, e)
			bit := uint64(1) << (id & 63)
			dup |= seen & bit
			seen |= bit
			s, n = e+2, n+1
		}
	}
}

// moreFields returns fs with room for at least one more.
func moreFields(fs []Field) []Field {
	fs = append(fs, Field{})
	return fs[:cap(fs)]
}

// badByte ends a parse at b[e], which is neither text nor the end of a line, in the
// line from s on, behind n fields.
func (h *Head) badByte(b []byte, fs []Field, n, s, e int, unfold bool) (int, error) {
	switch {
	case cutShort(b, e):
		return h.incomplete(fs)
	case unfold && n > 0 && isOWS(b[s]):
		s = join(b, &fs[n-1], s, s)
	}
	return h.fieldFault(b, s)
}

// badName ends a parse at the line from s to e, which does not begin with a name
// and a colon.
func (h *Head) badName(b []byte, s, e int, unfold bool) (int, error) {
	for unfold && isLineEnd(b, e) && e+2 < len(b) && isOWS(b[e+2]) { // the judge is to see all of it
		b[e], b[e+1] = ' ', ' '
		e = h.m.lineEnd(b, e+2)
	}
	return h.fieldFault(b, s)
}

// incomplete ends a parse of a head that is not complete.
func (h *Head) incomplete(fs []Field) (int, error) {
	h.Fields = fs
	h.Reset()
	return 0, nil
}

// setValue makes b[s:e] without the white space around it the field's value. It
// is not empty, or preceded by a colon and followed by CR.
func (f *Field) setValue(b []byte, s, e int) {
	for isOWS(b[s]) { // CR ends it
		s++
	}
	for e > s && isOWS(b[e-1]) {
		e--
	}
	f.ValueOff, f.ValueLen = uint32(s), uint32(e-s)
}

// join makes the folded line b[s:e] part of the value of f, the field in front
// of it, and returns where that one begins.
func join(b []byte, f *Field, s, e int) int {
	b[s-2], b[s-1] = ' ', ' '
	if e > s {
		f.setValue(b, int(f.NameOff)+int(f.NameLen)+1, e)
	}
	return int(f.NameOff)
}

// maxName is the longest field name that a Field can describe.
const maxName = 1<<16 - 1

// shortName returns the index of the first colon from s on and the id of the
// name before it, if that is shorter than 16 bytes and b goes on far enough to
// load it in two words; -1 if not. A name that has an id is made
// of token bytes, provided that it holds no control byte: for the sake of '-',
// nothing but CR could pass for it.
func shortName(b []byte, s int) (n int, id FieldID) {
	if s+16 > len(b) {
		return -1, 0
	}
	w, x := load64(b, s), load64(b, s+8)
	y := w ^ colons
	z := x ^ colons
	y, z = (y-each)&^y&high, (z-each)&^z&high
	k := uint(8)
	if y != 0 {
		k = uint(bits.TrailingZeros64(y)) >> 3
	} else {
		if z == 0 {
			return -1, 0
		}
		k += uint(bits.TrailingZeros64(z)) >> 3
	}
	n = s + int(k)
	w = w&names.upper[k&15] | fold
	x = x&names.lower[k&15] | fold
	slot := names.slots[hashField(w, x)] >> idShift & 63
	if name := &names.known[slot].name; names.size[slot] == uint64(k) && name[0] == w && name[1] == x {
		id = FieldID(slot)
	}
	return n, id
}

// longName is shortName for the others, with len(b) for -1.
func longName(b []byte, s int) (n int, id FieldID) {
	n = indexColon(b, s)
	if n-s > maxName {
		return len(b), 0
	}
	return n, LookupField(b[s:n])
}
