package bytesparse

import "math/bits"

// The walk over lines that are in order, and about which everything is plain, in Go: as
// far as the marks go that there are. Nothing is called on the way of most lines, so that
// what it goes by stays in registers.

// plain completes fields from the n-th on with the lines of b from s on. It returns the
// start of the line that it leaves to parseFields, how many fields there are then, and the
// block to look for that line's end in.
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
		if e < s { // the LF of the line before
			continue
		}
		if e == s || s > len(b)-16 || !isLineEnd(b, e) {
			break
		}
		x &= x - 1

		// The name is loaded in two words, and what is behind it in them is blanked. One
		// that has an id is made of token bytes, provided that it holds no control byte: for
		// the sake of '-', nothing but CR could pass for it.
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
		// One blank in front of the value, and none behind it, is the rule.
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
