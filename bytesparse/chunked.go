package bytesparse

// Chunked bodies (RFC 9112 §7.1): which bytes are data, and where the body ends.
// Next takes one piece at a time and leaves the data in place; Decode copies out the
// data of as many chunks as are there.
//
// Many small chunks are what makes a decoder slow, and the chunks of such a stream are
// mostly of one size. Decode therefore predicts that a size line equals the one before
// it: the position of the next line then does not depend on parsing this one's digits.

// ChunkLimits bounds a chunked body. In each field, zero means the default and a
// negative number no limit.
type ChunkLimits struct {
	Line     int   // bytes of a size line, extensions and CRLF included; 256 by default
	Overhead int   // bytes of size lines in the whole body, beyond 16 per chunk and one per byte of data; 16384 by default
	Body     int64 // bytes of data in the whole body; no limit by default
}

const (
	defaultChunkOverhead = 16 << 10
	freeLine             = 16 // bytes of a size line that are not charged: fourteen digits and CRLF, more than any real size needs
	maxDebt              = 1<<31 - 1
)

// ChunkEvent is what a step of Chunked.Next found.
type ChunkEvent uint8

// The events. After each, b[:n] is consumed: the next call must begin after it.
const (
	ChunkMore    ChunkEvent = iota // more bytes are needed; n is 0
	ChunkFraming                   // b[:n] is framing
	ChunkData                      // b[:n] is data
	ChunkLast                      // b[:n] is the last chunk's line; a trailer section follows, for Head.ParseTrailers
)

// chunkAt is what a Chunked expects next.
type chunkAt uint8

const (
	atLine chunkAt = iota
	atData
	atEnd // the CRLF after a chunk's data
	atTrailers
)

// Chunked is the position in a chunked body. The zero value is at the first chunk's
// size line. It holds no pointer and none of the body's bytes, so bytes that were not
// consumed must be passed again.
type Chunked struct {
	Left int64 // bytes left of the current chunk
	Read int64 // bytes of data so far
	debt int32 // framing not yet paid for; see charge
	at   chunkAt
}

// Done reports whether the last chunk's size line has been read.
func (c *Chunked) Done() bool { return c.at == atTrailers }

// Next consumes one piece at the start of b: framing, or as much of the current
// chunk's data as b holds. The result does not depend on where b was cut. Size lines
// follow the rules of NextChunkLine. A nil lim means the default limits. The error is
// an *Error with an offset in b; after an error the body cannot be read any further.
// It allocates only on error.
func (c *Chunked) Next(b []byte, lim *ChunkLimits) (n int, ev ChunkEvent, err error) {
	skip := 0
	switch c.at {
	case atTrailers:
		return 0, ChunkLast, nil
	case atData:
		if n = int(min(int64(len(b)), c.Left)); n == 0 {
			return 0, ChunkMore, nil
		}
		c.took(n)
		return n, ChunkData, nil
	case atEnd:
		switch {
		case len(b) > 0 && b[0] != '\r':
			return 0, 0, &Error{ReasonChunkEnd, 0}
		case len(b) > 1 && b[1] != '\n':
			return 0, 0, &Error{ReasonChunkEnd, 1}
		case len(b) < 2:
			return 0, ChunkMore, nil
		}
		skip = 2
		c.at = atLine
	}
	if lim == nil {
		lim = &ChunkLimits{}
	}
	n, size, err := NextChunkLine(b[skip:], lim.Line)
	switch {
	case err != nil:
		err.(*Error).Offset += skip
		return 0, 0, err
	case n == 0 && skip == 0:
		return 0, ChunkMore, nil
	case n == 0:
		return skip, ChunkFraming, nil
	case !c.charge(n, size, lim.Overhead):
		return 0, 0, &Error{ReasonChunkOverhead, skip + n}
	case lim.Body > 0 && size > lim.Body-c.Read:
		return 0, 0, &Error{ReasonBodyTooLong, skip}
	case size == 0:
		c.at = atTrailers
		return skip + n, ChunkLast, nil
	}
	c.Left = size
	c.at = atData
	return skip + n, ChunkFraming, nil
}

// took accounts for n bytes of data.
func (c *Chunked) took(n int) {
	c.Left -= int64(n)
	c.Read += int64(n)
	if c.Left == 0 {
		c.at = atEnd
	}
}

// charge bounds chunk framing in proportion to the data it frames, and reports whether
// the bound holds. A line is free up to freeLine bytes plus one byte per byte of data.
// What exceeds that becomes debt, which later chunks may pay off and which must not
// exceed the limit. So small chunks are fine and long extensions are fine, but not a
// stream of small chunks with long extensions.
func (c *Chunked) charge(line int, size int64, limit int) bool {
	switch {
	case limit < 0:
		return true
	case limit == 0:
		limit = defaultChunkOverhead
	}
	owed := max(int64(c.debt)+int64(line)-freeLine-size, 0)
	c.debt = int32(min(owed, maxDebt))
	return owed <= int64(limit)
}

// Decode copies data from src to dst, leaving out the framing, and returns how
// many bytes it wrote and how many of src it consumed. It may stop early, after data
// it has copied: call it again until it returns two zeros. Then src is too short to
// continue, dst is full, or Done reports true. dst may begin at the same byte as src,
// to decode a body in place.
//
// The error is an *Error with an offset in src; nothing was written then. Otherwise
// Decode behaves as Next does.
func (c *Chunked) Decode(dst, src []byte, lim *ChunkLimits) (written, n int, err error) {
	for {
		switch c.at {
		case atLine:
			if written, n = c.whole(dst, src, n, lim); written > 0 {
				return written, n, nil
			}
		case atData:
			k := copy(dst, src[n:min(len(src), n+int(min(c.Left, maxHead)))])
			if k == 0 {
				return 0, n, nil
			}
			n += k
			if c.took(k); c.at == atEnd && isLineEnd(src, n) {
				c.at = atLine
				more, end := c.whole(dst[k:], src, n+2, lim)
				return k + more, end, nil
			}
			return k, n, nil
		}
		k, ev, err := c.Next(src[n:], lim)
		if err != nil {
			err.(*Error).Offset += n
			return 0, n, err
		}
		n += k
		if ev != ChunkFraming {
			return 0, n, nil
		}
	}
}

// whole copies the data of the chunks from src[n] on that are complete and fit into
// dst, up to the first whose size line is more than a few digits. It returns how many
// bytes it wrote and the index after the last chunk copied.
func (c *Chunked) whole(dst, src []byte, n int, lim *ChunkLimits) (written, end int) {
	if lim != nil && lim.Body > 0 && lim.Body-c.Read < int64(len(dst)) {
		dst = dst[:max(lim.Body-c.Read, 0)]
	}
	if lim != nil && lim.Line > 0 && lim.Line < 8 {
		return 0, n
	}
	lines := 0 // bytes of size lines, less freeLine for each: negative as a rule
	line, mask, skip, size := uint64(1), uint64(0), 0, 0
	for end = n; end+8 <= len(src); {
		w := load64(src, end)
		if w&mask != line {
			if skip, size = plainLine(w); size == 0 {
				break
			}
			mask = 1<<(8*uint(skip)) - 1
			line = w & mask
		}
		from := end + skip
		if size > len(dst)-written || !isLineEnd(src, from+size) {
			break
		}
		switch {
		case size-8 <= 8 && size >= 8: // load both words before storing: dst and src may overlap
			a, b := load64(src, from), load64(src, from+size-8)
			store64(dst, written, a)
			store64(dst, written+size-8, b)
		default:
			copy(dst[written:], src[from:from+size])
		}
		written += size
		end = from + size + 2
		lines += skip - freeLine
	}
	c.Read += int64(written)
	c.debt = int32(max(int64(c.debt)+int64(lines-written), 0))
	return written, end
}

// plainLine reads a size line of one to six digits, without extension, and its CRLF
// at the start of w; size is 0 if w does not begin with one.
func plainLine(w uint64) (n, size int) {
	for n = range 7 {
		d := hexValue[byte(w)]
		if d > 15 {
			break
		}
		size = size<<4 | int(d)
		w >>= 8
	}
	if w&0xffff != '\r'|'\n'<<8 {
		return 0, 0
	}
	return n + 2, size
}

// hexValue is the value of each hex digit, above 15 for every other byte.
var hexValue = func() (t [256]uint8) {
	for c := range t {
		if t[c] = 16; class[c]&classHex != 0 {
			t[c] = unhex(byte(c))
		}
	}
	return t
}()
