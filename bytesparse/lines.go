package bytesparse

import (
	"encoding/binary"
	"math/bits"
)

// The fast walk for machines without kernels: the counterpart in Go of head, which is in
// assembly. It makes no bitmaps: without vector registers a bitmap costs as much as it
// saves, and working line by line gives the processor independent work while it resolves
// where a line ends. It goes from line to line while these are valid, and leaves the first that
// is not, and everything after it, to the walk along the marks (walk.go).

// lineWindow is how many bytes of a line are examined at a time.
const lineWindow = 32

// lines reads the request line of b, which is not empty, or finds the end of any other
// start line, and goes on over at most limit fields, for which h.Fields has capacity. If it
// reaches the end of the head and everything is valid, h describes the head and n is its
// size; otherwise n is 0, and h.m records how far it got.
func (h *Head) lines(b []byte, limit int, kind startKind) (n int) {
	if len(b) < lineWindow { // use a copy padded with zeros, which are control bytes
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
	for h.plainLines(b); !isLineEnd(b, m.line); h.plainLines(b) {
		if !h.textLine(b, m.line) {
			return 0
		}
	}
	h.Fields, h.Size = h.Fields[:m.taken], m.line+2
	return h.Size
}

// plainLines fills in fields from the lines of b from h.m.line on, as long as they are valid and
// without HTAB and obs-text, and leaves h.m.line at the start of the first line that is not. The
// position and the number of fields are kept in memory: the loop over a line's bytes needs every
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
			// As in scanGeneric, but marking DEL and bytes from 0x80 on as well. (Each word
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

		// Load the name as two words and blank the bytes after its colon. Finding the colon by
		// borrows is exact up to the first one, and no byte of the line is above 0x7f.
		var w, z uint64
		if s <= len(b)-16 {
			p := (*[16]byte)(b[s : s+16 : s+16])
			w, z = binary.LittleEndian.Uint64(p[0:8]), binary.LittleEndian.Uint64(p[8:16])
		} else {
			w, z = lastWords(b, s)
		}
		x, y := ((w^colons)-each)&high, ((z^colons)-each)&high
		inSecond := uint64(int64((x-1)&^x) >> 63) // all ones or zero: a branch would be mispredicted
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
		// INVARIANT: the colon is before e: otherwise the name would contain the LF at e+1, which
		// no name does, folded or not.
		f, v := &fs[n], s+k
		f.NameOff, f.NameLen, f.ID = uint32(s), uint16(k-1), id
		for b[v] == ' ' { // the CR stops it; lines with tabs do not get here
			v++
		}
		for e > v && b[e-1] == ' ' {
			e--
		}
		f.ValueOff, f.ValueLen = uint32(v), uint32(e-v)
	}
}

// textLine fills in a field from the line of b that begins at s, if it is not plain only because
// its value has an HTAB or obs-text (RFC 9110 §5.5).
func (h *Head) textLine(b []byte, s int) bool {
	odd := oddFrom(b, s)
	e := textEnd(b, odd)
	if e == odd || !isLineEnd(b, e) || h.m.taken == len(h.Fields) {
		return false
	}
	k, id := longName(b[s:odd])
	if k == 0 || k == odd-s || id == FieldOther && !tokenBytes(b[s:s+k]) {
		return false
	}
	f := &h.Fields[h.m.taken]
	f.NameOff, f.NameLen, f.ID = uint32(s), uint16(k), id
	f.setValue(b, s+k+1, e)
	h.m.line = e + 2
	h.m.taken++
	h.dup |= h.seen & (1 << (id & 63))
	h.seen |= 1 << (id & 63)
	return true
}

// textEnd returns the index of the first byte of b from i on that may not be in a field value,
// len(b) when there is none.
func textEnd(b []byte, i int) int {
	for i <= len(b)-8 {
		x := badV(load64(b, i)) & high
		if x == 0 {
			i += 8
			continue
		}
		if i += bits.TrailingZeros64(x) >> 3; b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && isText(b[i]) {
		i++
	}
	return i
}

// oddFrom returns the index of the first byte of b from i on that is a control byte or from
// 0x80 up; len(b) when there is none. If such a byte stands directly before i, it may return i
// by mistake. len(b) is at least lineWindow.
func oddFrom(b []byte, i int) int {
	for ; i < len(b); i += lineWindow {
		at := min(i, len(b)-lineWindow) // the last window overlaps the one before
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

// otherName returns the size, colon included, and the id of the name at the start of the
// line b[s:e], which is not in shortNames; k is 0 if it is not a valid name. w and z are the
// line's first sixteen bytes up to the colon, folded; x and y have a bit at the colon.
func otherName(b []byte, s, e int, w, z, x, y uint64) (k int, id FieldID) {
	inFirst, inSecond := (x-1)&^x, (y-1)&^y&uint64(int64((x-1)&^x)>>63) // the bits before the colon
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

// nameBytes returns a word with the high bit set for each byte of x that is an ASCII letter, a
// digit, a hyphen or a dot; its other bits are undefined. x must be folded, without control
// bytes or bytes above 0x7f. Each sum has the high bit set from one border of a range on, so
// that inside a range an odd number of them have it.
func nameBytes(x uint64) uint64 {
	return (x + (0x80-'-')*each) ^ (x + (0x80-'/')*each) ^ (x + (0x80-'0')*each) ^
		(x + (0x80-'9'-1)*each) ^ (x + (0x80-'a')*each) ^ (x + (0x80-'z'-1)*each)
}

// lastWords returns the two words of b from s on, with zeros after its end, where fewer than
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
	shortMult = 0xab5a553bb6e7aa51 // collision-free; TestShortNames fails when it must change
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
