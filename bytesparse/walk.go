package bytesparse

import "math/bits"

// The walk over the field lines, from line end to line end along the marks of
// the block scan. It is written for lines that are in order; at the first that
// is not, it hands over to the judges in fault.go, which look at that line
// again, byte by byte, and say what is wrong with it.

// maxHead is where offsets stop fitting; no head is that long.
const maxHead = 1<<31 - 1

// ParseTrailers parses the trailer section at the start of b: field lines up to
// and with the empty line (RFC 9112 §7.1.2), under the rules for a request's
// fields. It otherwise works as ParseRequest does. h should be a Head of its
// own, for trailers are not headers.
func (h *Head) ParseTrailers(b []byte, lim *Limits) (n int, err error) {
	var m masks
	b = b[:min(len(b), maxHead)]
	h.Reset()
	return h.parseFields(b, &m, 0, lim, false)
}

// lineEnd returns the index of the first control byte other than HTAB of b
// from p on, len(b) when there is none.
func (m *masks) lineEnd(b []byte, p int) int {
	e := m.indexV(b, p)
	for e < len(b) && isText(b[e]) {
		e = m.indexV(b, e+1)
	}
	return e
}

// isLineEnd tells whether CR LF stands at b[e].
func isLineEnd(b []byte, e int) bool {
	return e+1 < len(b) && b[e] == '\r' && b[e+1] == '\n'
}

// cutShort tells whether b ends at e, or behind a CR there: whether that is a
// line end is not known yet.
func cutShort(b []byte, e int) bool {
	return e+1 >= len(b) && (e == len(b) || b[e] == '\r')
}

// parseFields parses the field lines of b from s on, up to the empty line. With
// unfold, folded lines are joined to the one before, in b.
func (h *Head) parseFields(b []byte, m *masks, s int, lim *Limits, unfold bool) (int, error) {
	fs, s, e := splitLines(b, m, s, h.Fields[:0], lim.fields(), unfold)
	h.Fields = fs
	if cutShort(b, e) {
		h.Reset()
		return 0, nil
	}
	if bad := h.readFields(b, fs); bad >= 0 {
		return h.fieldFault(b, int(fs[bad].NameOff))
	}
	if !isLineEnd(b, e) {
		return h.fieldFault(b, s)
	}
	if e != s {
		return h.fault(b, ReasonTooManyFields, s)
	}
	h.Size = e + 2
	return e + 2, nil
}

// splitLines appends a field for each line of b from s on, with NameOff where
// the line begins and ValueOff where it ends, until it meets a line that is
// empty, is not in order or would be one field too many. It returns where that
// line begins and ends.
func splitLines(b []byte, m *masks, s int, fs []Field, limit int, unfold bool) ([]Field, int, int) {
	n := 0
	fs = fs[:cap(fs)]
	for base := s &^ 63; ; base += 64 {
		if base >= m.end {
			if base >= len(b) {
				return fs[:n], s, len(b)
			}
			m.mark(b, base)
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
				return fs[:n], s, e
			}
			x &= x - 1
			if e == s || n == limit {
				return fs[:n], s, e
			}
			if unfold && e+2 < len(b) && isOWS(b[e+2]) {
				b[e], b[e+1] = ' ', ' '
				continue
			}
			if n == len(fs) {
				fs = append(fs, Field{})
				fs = fs[:cap(fs)]
			}
			f := &fs[n]
			f.NameOff = uint32(s)
			f.ValueOff = uint32(e)
			n++
			s = e + 2
		}
	}
}

// isText tells whether a marked byte may stand in a line after all.
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// readFields completes the fields of splitLines. It returns the index of the
// first whose line is not in order, -1 when all are.
func (h *Head) readFields(b []byte, fs []Field) int {
	var seen, dup uint64
	for i := range fs {
		f := &fs[i]
		s, e := int(f.NameOff), int(f.ValueOff)
		n, id := shortName(b, s)
		if n < 0 {
			n, id = longName(b[:e], s)
		}
		if n >= e || id == FieldOther && (n == s || !tokenBytes(b[s:n])) {
			return i
		}
		vs, ve := n+1, e
		for isOWS(b[vs]) { // CR ends it
			vs++
		}
		for ve > vs && isOWS(b[ve-1]) {
			ve--
		}
		// Member by member: a composite would be put together on the stack and
		// copied, at the price of a store-forwarding stall.
		f.NameLen, f.ID = uint16(n-s), id
		f.ValueOff, f.ValueLen = uint32(vs), uint32(ve-vs)
		bit := uint64(1) << (id & 63)
		first := h.first[id&63]
		if seen&bit == 0 {
			first = uint16(i)
		}
		h.first[id&63] = first
		dup |= seen & bit
		seen |= bit
	}
	h.seen, h.dup = seen, dup
	return -1
}

// maxName is the longest field name that a Field can describe.
const maxName = 1<<16 - 1

// shortName returns the index of the first colon from s on and the id of the
// name before it, if that is shorter than 16 bytes and b goes on far enough on
// either side to load it in two words; -1 if not. A name that has an id is made
// of token bytes, provided that it holds no control byte: for the sake of '-',
// nothing but CR could pass for it.
func shortName(b []byte, s int) (n int, id FieldID) {
	if s < 8 || s+16 > len(b) {
		return -1, 0
	}
	w, x := load64(b, s), load64(b, s+8)
	y := w ^ colons
	x ^= colons
	y, x = (y-each)&^y&high, (x-each)&^x&high
	// A name shorter than eight bytes is padded with zeros, by shifting out of
	// both words what does not belong to it.
	k, pad := uint(8), uint(0)
	if y != 0 {
		k = uint(bits.TrailingZeros64(y)) >> 3
		pad = 64 - k<<3
	} else {
		if x == 0 {
			return -1, 0
		}
		k += uint(bits.TrailingZeros64(x)) >> 3
	}
	n = s + int(k)
	w = w<<(pad&63)>>(pad&63) | fold
	x = load64(b, n-8)>>(pad&63) | fold
	slot := fieldSlots[hashField(w, x, k)]
	if name := &knownNames[slot&63].name; uint(slot>>8) == k && name[0] == w && name[1] == x {
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
