package bytesparse

import (
	"encoding/binary"
	"math/bits"
)

// The walk ahead where there are no kernels: what head is in assembly, in Go. It makes no
// marks. Without vectors a bitmap costs as much as it saves, and what is done here per
// line leaves the processor something to do while it finds out where the line ends. It
// goes from line to line while these are in order and plain, and leaves the first that is
// not, and all behind it, to the walk along marks.

// lineWindow is how many bytes of a line are looked at in one go.
const lineWindow = 32

// lines reads the request line of b, not empty, or finds the end of another start line,
// and walks on over at most limit fields, for which there is room. When it gets to the end
// of the head and all is in order, h describes it and n is its size; else n is 0, and
// masks tells how far it got.
func (h *Head) lines(b []byte, limit int, kind startKind) (n int) {
	if len(b) < lineWindow { // a copy has zeros behind it, which are control bytes
		var room [lineWindow]byte
		copy(room[:], b)
		b = room[:]
	}
	m := &h.m
	h.seen, h.dup = 0, 0
	m.base, m.end, m.taken, m.request = 0, 0, 0, false
	m.eol = oddFrom(b, 0)
	if !isLineEnd(b, m.eol) {
		return 0
	}
	if kind == requestLine {
		if m.request = h.readRequestLine(b, m.eol); !m.request {
			return 0
		}
	}
	m.line = m.eol + 2
	h.Fields = h.Fields[:limit]
	h.plainLines(b)
	if !isLineEnd(b, m.line) {
		return 0
	}
	h.Fields, h.Size = h.Fields[:m.taken], m.line+2
	return h.Size
}

// plainLines completes fields with the lines of b from m.line on, as long as they are in
// order and plain, and leaves m.line in front of the line that is not. Where it is and
// how many fields there are is kept in memory: the loop over a line's bytes needs every
// register.
func (h *Head) plainLines(b []byte) {
	b = b[:len(b):len(b)]
	for s := h.m.line; s < len(b) && b[s] != '\r'; s = h.m.line {
		var e int
		for at := s; ; at += lineWindow {
			if at > len(b)-lineWindow {
				e = oddFrom(b, at)
				break
			}
			// As in scanGeneric, and DEL and what is from 0x80 on is marked too. (Each word
			// is written twice and loaded once: a variable for it costs an instruction.)
			p := (*[lineWindow]byte)(b[at : at+lineWindow : at+lineWindow])
			x0 := (binary.LittleEndian.Uint64(p[0:8]) - fold) | (binary.LittleEndian.Uint64(p[0:8]) + each)
			x1 := (binary.LittleEndian.Uint64(p[8:16]) - fold) | (binary.LittleEndian.Uint64(p[8:16]) + each)
			x2 := (binary.LittleEndian.Uint64(p[16:24]) - fold) | (binary.LittleEndian.Uint64(p[16:24]) + each)
			x3 := (binary.LittleEndian.Uint64(p[24:32]) - fold) | (binary.LittleEndian.Uint64(p[24:32]) + each)
			if (x0|x1|x2|x3)&high != 0 {
				marks := gather(x0) | gather(x1)<<8 | gather(x2)<<16 | gather(x3)<<24
				e = at + bits.TrailingZeros64(marks|1<<63)
				break
			}
		}
		if e > len(b)-2 || binary.LittleEndian.Uint16(b[e:e+2:e+2]) != '\r'|'\n'<<8 {
			return
		}

		// The name is loaded in two words, and what is behind its colon is blanked. To find
		// that by borrows is exact up to the first one, and no byte of the line is above 0x7f.
		var w, z uint64
		if s <= len(b)-16 {
			p := (*[16]byte)(b[s : s+16 : s+16])
			w, z = binary.LittleEndian.Uint64(p[0:8]), binary.LittleEndian.Uint64(p[8:16])
		} else {
			w, z = lastWords(b, s)
		}
		x, y := ((w^colons)-each)&high, ((z^colons)-each)&high
		inSecond := uint64(int64((x-1)&^x) >> 63) // all ones, or zero: a branch would be missed
		w, z = w&(x^(x-1))|fold, z&(y^(y-1))&inSecond|fold
		known := &shortNames[(w+z<<3)*shortMult>>(64-shortBits)]
		k, id, bit := int(known.size), known.id, known.bit
		if known.w != w || known.z != z {
			if k, id = otherName(b, s, e, w, z, x, y); k == 0 {
				return
			}
			bit = 1 << (id & 63)
		}
		fs, n := h.Fields, h.m.taken
		if n >= len(fs) {
			return
		}
		h.m.line, h.m.taken = e+2, n+1
		h.dup |= h.seen & bit
		h.seen |= bit
		// INVARIANT: the colon is in front of e: the LF behind e, folded or not, is in no name.
		f, v := &fs[n], s+k
		f.NameOff, f.NameLen, f.ID = uint32(s), uint16(k-1), id
		for b[v] == ' ' { // CR ends it; tabs do not get here
			v++
		}
		for e > v && b[e-1] == ' ' {
			e--
		}
		f.ValueOff, f.ValueLen = uint32(v), uint32(e-v)
	}
}

// oddFrom returns the index of the first byte of b from i on that is a control byte, or
// above 0x7f or so; len(b) when there is none. len(b) is at least lineWindow.
func oddFrom(b []byte, i int) int {
	for ; i < len(b); i += lineWindow {
		at := min(i, len(b)-lineWindow) // the last ones are looked at once more
		p := (*[lineWindow]byte)(b[at : at+lineWindow : at+lineWindow])
		x0 := (binary.LittleEndian.Uint64(p[0:8]) - fold) | (binary.LittleEndian.Uint64(p[0:8]) + each)
		x1 := (binary.LittleEndian.Uint64(p[8:16]) - fold) | (binary.LittleEndian.Uint64(p[8:16]) + each)
		x2 := (binary.LittleEndian.Uint64(p[16:24]) - fold) | (binary.LittleEndian.Uint64(p[16:24]) + each)
		x3 := (binary.LittleEndian.Uint64(p[24:32]) - fold) | (binary.LittleEndian.Uint64(p[24:32]) + each)
		if (x0|x1|x2|x3)&high != 0 {
			marks := gather(x0) | gather(x1)<<8 | gather(x2)<<16 | gather(x3)<<24
			if marks >>= uint(i-at) & 63; marks != 0 {
				return i + bits.TrailingZeros64(marks)
			}
		}
	}
	return len(b)
}

// otherName returns the size, colon included, and the id of the name at the start of
// b[s:e], a line, when it is none of shortNames; 0 when it is no name. w and z are its first sixteen bytes up to the
// colon, folded, as far as it is there, x and y have a bit where it is.
func otherName(b []byte, s, e int, w, z, x, y uint64) (k int, id FieldID) {
	inFirst, inSecond := (x-1)&^x, (y-1)&^y&uint64(int64((x-1)&^x)>>63) // in front of the colon
	if k = bits.TrailingZeros64(x)>>3 + 1; x == 0 {
		k = bits.TrailingZeros64(y)>>3 + 9
	}
	if (nameBytes(w)|^inFirst)&(nameBytes(z)|^inSecond)&high == high && k > 1 && k < 17 {
		return k, FieldOther
	}
	if k, id = longName(b[s:e]); k == 0 || k == e-s || !tokenBytes(b[s:s+k]) {
		return 0, 0
	}
	return k + 1, id
}

// nameBytes returns x, folded, with the high bit set in each byte that is an ASCII letter, a
// digit, a hyphen or a dot; the other bits mean nothing. No byte of x is a control byte
// or above 0x7f. Each sum has the high bit from a border of a range on, so that an odd number of
// them has it inside.
func nameBytes(x uint64) uint64 {
	return (x + (0x80-'-')*each) ^ (x + (0x80-'/')*each) ^ (x + (0x80-'0')*each) ^
		(x + (0x80-'9'-1)*each) ^ (x + (0x80-'a')*each) ^ (x + (0x80-'z'-1)*each)
}

// lastWords returns the two words of b from s on, zeros behind its end, where fewer than
// sixteen bytes are left. len(b) is at least lineWindow.
func lastWords(b []byte, s int) (w, z uint64) {
	w, z = load64(b, len(b)-16), load64(b, len(b)-8)
	n := uint(s-len(b)+16) * 8
	return w>>n | z<<(64-n) | z>>(n-64), z >> n
}

// shortName is a name of at most fifteen bytes in lower case, and its colon, padded with
// blanks.
type shortName struct {
	w, z uint64
	bit  uint64 // of the id
	size uint16 // colon included
	id   FieldID
}

const (
	shortBits = 7
	shortMult = 0xab5a553bb6e7aa51 // collision-free; TestShortNames tells when it must change
)

var shortNames = func() (t [1 << shortBits]shortName) {
	for id := FieldHost; id < numFieldIDs; id++ {
		if n := len(fieldNames[id]); n < 16 {
			line := fieldNames[id] + ":               "
			w, z := word(line, 0)|fold, word(line, 8)|fold
			t[(w+z<<3)*shortMult>>(64-shortBits)] = shortName{w, z, 1 << id, uint16(n + 1), id}
		}
	}
	return t
}()
