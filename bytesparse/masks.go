package bytesparse

import "math/bits"

// The marks of a window of a buffer, and finding one's way along them. They are
// the seam between the scans, which set them, and the walk, which reads them.

// windowBlocks is how many 64-byte blocks one scan marks at most: enough for
// nearly all heads.
const windowBlocks = 16

// masks holds the bitmaps of a window of a buffer, and says which window. In
// each, bit i of word k is for byte base+64k+i. Behind the end of the buffer no
// bit is set. Assembly knows this layout.
//
// A scan may have walked ahead over the first window: over the start line, and
// over field lines that are all in order, whose fields it has then completed.
type masks struct {
	v [windowBlocks]uint64     // control bytes, CR, LF and HTAB included
	n [windowBlocks + 1]uint64 // not a token byte; kernels only; the last word is never looked at for its bits
	t [windowBlocks]uint64     // not a target byte; kernels only, and only up to the first word of v that is not zero

	base int // offset of the window, a multiple of 64
	end  int // where the marks end: base + 64 × blocks marked, possibly past the buffer's end

	request bool // the request line was read, its method not looked up

	eol   int // there is no mark of v before this; not for trailers
	line  int // where the line begins that the walk stands at, if it has taken any
	taken int // field lines walked over
	size  int // size of the head if the walk got to its end, else 0
}

// startKind says what stands in front of the field lines.
type startKind uint8

const (
	noStart startKind = iota
	statusLine
	requestLine
)

// What a request line looks like, as words are loaded.
const (
	minRequest = len("M / HTTP/1.1")
	get        = 'G' | 'E'<<8 | 'T'<<16 | ' '<<24
	version    = ' ' | http1<<8&(1<<64-1) // " HTTP/1."
)

// begin marks the first window of b, not empty, and finds the end of a start
// line. Kernels walk on from there as far as they can, over at most limit fields.
func (h *Head) begin(b []byte, limit int, kind startKind) {
	if kernels() {
		head(h, b, min(limit, cap(h.Fields)), kind)
		return
	}
	h.seen, h.dup = 0, 0
	m := &h.m
	m.taken, m.size, m.request = 0, 0, false
	m.mark(b, 0)
	m.eol = 0
}

// startEnd returns the index of the first control byte of b, which may stand in
// a further window than the first.
func (m *masks) startEnd(b []byte) int { return m.indexV(b, m.eol) }

// mark marks the window of b, at the latest, that begins at base, a multiple of
// 64 below its length: no byte between base and where the window does begin is a
// control byte.
func (m *masks) mark(b []byte, base int) {
	if base > 0 { // in the middle of a line, as often as not
		if base += skip(b[base:]); base == len(b) {
			m.base, m.end = base, base
			return
		}
	}
	m.base = base
	m.end = base + 64*scan(b, base, m)
}

// indexV returns the index of the first control byte of b from index p on,
// len(b) when there is none, marking further windows as it gets there. It must
// always be given the same bytes, and p must not go back before the window.
func (m *masks) indexV(b []byte, p int) int {
	for {
		for p = max(p, m.base); p < m.end; p = p&^63 + 64 {
			i := uint(p - m.base)
			if x := m.v[i>>6%windowBlocks] >> (i & 63); x != 0 {
				return p + bits.TrailingZeros64(x)
			}
		}
		if p >= len(b) {
			return len(b)
		}
		m.mark(b, p&^63)
	}
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

// isText tells whether a marked byte may stand in a line after all.
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// isLineEnd tells whether CR LF stands at b[e].
func isLineEnd(b []byte, e int) bool {
	return e+1 < len(b) && b[e] == '\r' && b[e+1] == '\n'
}

// cutShort tells whether b ends at e, or behind a CR there: whether that is a
// line end is not known yet.
func cutShort(b []byte, e int) bool {
	return e+1 >= len(b) && (e == len(b) || b[e] == '\r')
}

// isToken tells whether b[s:e] has token bytes only.
func (m *masks) isToken(b []byte, s, e int) bool {
	if exactN() && s >= m.base && e < m.end && e-s < 64 {
		i, x := uint(s-m.base)>>6%windowBlocks, uint(s)&63
		return (m.n[i]>>x|m.n[i+1]<<1<<(^x&63))&(1<<uint(e-s)-1) == 0
	}
	return tokenBytes(b[s:e])
}
