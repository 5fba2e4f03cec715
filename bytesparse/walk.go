package bytesparse

import "math/bits"

// The walk over the field lines, from line end to line end along the marks of
// the block scan. Lines about which everything is plain are plain.go's, or the walk's that
// is ahead of this one, in assembly or in lines.go. What is here is written for the others that are
// in order; at the first that is not, it hands over to the judges in fault.go, which look
// at that line again, byte by byte, and say what is wrong with it.

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

// note notes which fields there are.
func (h *Head) note() {
	var seen, dup uint64
	for i := range h.Fields {
		bit := uint64(1) << (h.Fields[i].ID & 63)
		dup |= seen & bit
		seen |= bit
	}
	h.seen, h.dup = seen, dup
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
// of it, and returns where that one begins. It does not look at what is in front of the
// line: blank lines without end would have it go over all of them again for each.
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

// longName returns the length of the name that the line begins with, up to the first
// colon, and its id; the line's length when there is none.
func longName(line []byte) (n int, id FieldID) {
	n = indexColon(line, 0)
	if n > maxName {
		return len(line), 0
	}
	return n, LookupField(line[:n])
}
