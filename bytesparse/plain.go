package bytesparse

import "math/bits"

// The walk over plain, valid lines along the marks, in Go, as far as the window of marks
// extends. For most lines it calls no function, so that its state stays in registers.

// plain fills in fields from the n-th on from the lines of b from s on. It returns the start
// of the line that it leaves to parseFields, the number of fields, and the offset of the
// block in which to look for that line's end.
func (m *masks) plain(b []byte, fs []Field, s, n int) (int, int, int) {
	base := max(s&^63, m.base)
	if base >= m.end {
		return s, n, base
	}
	x := m.v[uint(base-m.base)>>6%windowBlocks]
	if s > base {
		x &^= 1<<(uint(s)&63) - 1
	}
	for n < len(fs) {
		for x == 0 {
			if base += 64; base >= m.end {
				return s, n, base
			}
			x = m.v[uint(base-m.base)>>6%windowBlocks]
		}
		e := base + bits.TrailingZeros64(x)
		x &= x - 1
		if e < s { // the LF of the previous line
			continue
		}
		if e == s || s > len(b)-16 || !isLineEnd(b, e) {
			break
		}
		x &= x - 1

		// Load the name as two words and blank the bytes after it. A name that matches a
		// well-known one has only token bytes, unless it contains a control byte: folded, a CR
		// would pass for '-'. There is none before e.
		t := b[s : s+16 : s+16]
		w, z := load64(t, 0), load64(t, 8)
		y := w ^ colons
		y = (y - each) &^ y & high
		k, id := bits.TrailingZeros64(y)>>3, FieldOther
		if y != 0 {
			w, z = w&(y&-y>>7-1), 0
		} else {
			y = z ^ colons
			y = (y - each) &^ y & high
			k += bits.TrailingZeros64(y) >> 3
			z &= y&-y>>7 - 1
		}
		if y == 0 {
			k, id = longName(b[s:e])
		} else {
			w, z = w|fold, z|fold
			known := names.slots[hashField(w, z)] & 63
			if name := &names.known[known].name; (names.size[known]^uint64(k))|(name[0]^w)|(name[1]^z) == 0 {
				id = known
			}
		}
		if k >= e-s || id == FieldOther && (k == 0 || !tokenBytes(b[s:s+k])) {
			break
		}
		f := &fs[n]
		f.NameOff, f.NameLen, f.ID = uint32(s), uint16(k), id
		// As a rule there is one blank before the value and none after it.
		v := s + k + 2
		if v >= e || b[v-1] != ' ' || b[v] <= ' ' || b[e-1] <= ' ' {
			f.setValue(b, s+k+1, e)
		} else {
			f.ValueOff, f.ValueLen = uint32(v), uint32(e-v)
		}
		s, n = e+2, n+1
	}
	return s, n, max(s&^63, m.base)
}
