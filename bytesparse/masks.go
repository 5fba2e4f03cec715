package bytesparse

import "math/bits"

// The marks of a window of a buffer, and searches along them. They are the interface
// between the scans, which set them, and the walk, which reads them.

// windowBlocks is how many 64-byte blocks one scan marks at most, and headBlocks how many
// the fast walk in assembly covers at most: enough for nearly all heads.
const (
	windowBlocks = 16
	headBlocks   = 32
)

// masks holds the marks of a window of a buffer, and the position of the window. Bit i of
// word k is set if byte base+64k+i is a control byte, CR, LF and HTAB included. No bit is
// set past the end of the buffer. The assembly depends on this layout.
//
// Where there is a fast walk, in assembly or in Go (lines.go), it runs over the head first.
// request, eol, line and taken record how far it got: past the start line, and past field
// lines that are all valid and whose Fields are filled in. It leaves no window of marks.
type masks struct {
	v    [windowBlocks]uint64
	list [headBlocks + 1]block // for the walk in assembly

	base int // offset of the window, a multiple of 64
	end  int // where the marks end: base + 64 × blocks marked, possibly past the buffer's end

	request bool // the request line has been read; its method may still have to be looked up

	eol   int // there is no control byte before this offset; not for trailers
	line  int // where the line begins at which the walk stopped, if taken > 0
	taken int // field lines walked over
}

// block is an entry in the list of the walk in assembly: a block with control bytes.
type block struct {
	v  uint64 // the marks
	at int    // the block's offset
}

// shortHead is the size from which on a head is not short: the walk over short ones covers a
// single block. It fills in at most shortFields fields, the last one possibly without its LF.
const (
	shortHead   = 64
	shortFields = (shortHead - len("GET / HTTP/1.1\r\n")) / len("N: v\r\n")
)

// startKind is the kind of start line before the field lines.
type startKind uint8

const (
	statusLine startKind = iota
	requestLine
)

// Parts of start lines, as load64 reads them.
const (
	minStart   = min(len("M / HTTP/1.1"), len("HTTP/1.1 200"))
	get        = 'G' | 'E'<<8 | 'T'<<16 | ' '<<24
	http10     = http1 | '0'<<56
	http11     = http1 | '1'<<56
	fieldShift = 4 // log₂ of the size of a Field, for assembly
)

// begin runs the fast walk, if there is one, over b, which is not empty, and over at most
// limit fields. n is the size of the head if the walk reached its end, and otherwise 0.
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

// startEnd returns the index of the first control byte of b, which may be beyond the
// first window.
func (m *masks) startEnd(b []byte) int { return m.indexV(b, m.eol) }

// mark marks a window of b that begins at base, a multiple of 64 less than len(b), or
// later: no byte between base and the start of the window is a control byte.
func (m *masks) mark(b []byte, base int) {
	if base > 0 { // probably in the middle of a long line
		if base += skip(b[base:]); base == len(b) {
			m.base, m.end = base, base
			return
		}
	}
	m.base = base
	m.end = base + 64*scan(b, base, m)
}

// indexV returns the index of the first control byte of b from index p on, len(b) when
// there is none, marking further windows as needed. Between calls the bytes of b must
// stay the same, and p must not go back to before the window.
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

// isText reports whether a byte is allowed in a line although it may be marked.
func isText(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// isLineEnd reports whether CR LF stands at b[e].
func isLineEnd(b []byte, e int) bool {
	return e < len(b)-1 && uint16(b[e])|uint16(b[e+1])<<8 == '\r'|'\n'<<8
}

// cutShort reports whether b ends at e, or after a CR there, so that it is not known yet
// whether that is a line end.
func cutShort(b []byte, e int) bool {
	return e+1 >= len(b) && (e == len(b) || b[e] == '\r')
}
