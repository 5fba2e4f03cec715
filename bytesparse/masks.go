package bytesparse

import "math/bits"

// The marks of a window of a buffer, and finding one's way along them. They are
// the seam between the scans, which set them, and the walk, which reads them.

// windowBlocks is how many 64-byte blocks one scan marks at most, and headBlocks how
// many a walk ahead does: enough for nearly all heads.
const (
	windowBlocks = 16
	headBlocks   = 32
)

// masks holds the marks of a window of a buffer, and says which window. Bit i of
// word k is for byte base+64k+i: a control byte, CR, LF and HTAB included. Behind
// the end of the buffer no bit is set. Assembly knows this layout.
//
// Where there is a walk ahead, in assembly or in Go (lines.go), it has been over the head
// before: over the start line, and over field lines that are all in order, whose fields it
// has then completed. It leaves no window behind.
type masks struct {
	v    [windowBlocks]uint64
	list [headBlocks + 1]block // of the walk in assembly

	base int // offset of the window, a multiple of 64
	end  int // where the marks end: base + 64 × blocks marked, possibly past the buffer's end

	request bool // the request line was read; its method may be left to be looked up

	eol   int // there is no control byte before this; not for trailers
	line  int // where the line begins that the walk stands at, if it has taken any
	taken int // field lines walked over
}

// block is what the walk in assembly knows of a block with controls.
type block struct {
	v  uint64
	at int
}

// startKind says what stands in front of the field lines.
type startKind uint8

const (
	statusLine startKind = iota
	requestLine
)

// What a start line looks like, as words are loaded.
const (
	minStart   = min(len("M / HTTP/1.1"), len("HTTP/1.1 200"))
	get        = 'G' | 'E'<<8 | 'T'<<16 | ' '<<24
	http10     = http1 | '0'<<56
	http11     = http1 | '1'<<56
	fieldShift = 4 // turns an index in Fields into an offset
)

// begin goes over b, not empty, as far as a walk ahead can, over at most limit fields: n is
// the size of the head if that was all the way.
func (h *Head) begin(b []byte, limit int, kind startKind) (n int) {
	h.listed = false
	limit = min(limit, cap(h.Fields))
	switch {
	case kernels():
		return head(h, b, limit, kind)
	case !marksFirst:
		return h.lines(b, limit, kind)
	}
	h.seen, h.dup = 0, 0
	m := &h.m
	m.base, m.end, m.eol, m.taken, m.request = 0, 0, 0, 0, false
	return 0
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
	return e < len(b)-1 && uint16(b[e])|uint16(b[e+1])<<8 == '\r'|'\n'<<8
}

// cutShort tells whether b ends at e, or behind a CR there: whether that is a
// line end is not known yet.
func cutShort(b []byte, e int) bool {
	return e+1 >= len(b) && (e == len(b) || b[e] == '\r')
}
