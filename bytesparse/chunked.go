package bytesparse

// Chunked bodies (RFC 9112 §7.1): what of the bytes is data, and where it ends.
// Next takes them one by one, data where it lies; Decode gathers the data of as
// many chunks as there are.
//
// Many small chunks are what makes a decoder slow, and streams of them have one
// size mostly. So Decode expects a line to be the one before: then the place of the next
// line does not wait for this one's digits.

// ChunkLimits bounds a chunked body. In each, zero means the default and a
// negative number none.
type ChunkLimits struct {
	Line     int   // bytes of a size line, extensions and CRLF included; 256 by default
	Overhead int   // bytes of size lines of the whole body, beyond 16 a chunk and one per byte of data; 16384 by default
	Body     int64 // bytes of data of the whole body; none by default
}

const (
	defaultChunkOverhead = 16 << 10
	freeLine             = 16 // of a size line costs nothing: fourteen digits, far more than anybody needs
	maxDebt              = 1<<31 - 1
)

// ChunkEvent is what a step of Chunked.Next found.
type ChunkEvent uint8

// The events. With each, b[:n] is to be dropped before the next call.
const (
	ChunkMore    ChunkEvent = iota // nothing can be said yet, n is 0: ask again with more
	ChunkFraming                   // b[:n] was framing
	ChunkData                      // b[:n] is data
	ChunkLast                      // b[:n] was the last chunk's line: a trailer section follows, which is for Head.ParseTrailers
)

// chunkAt is where a Chunked stands.
type chunkAt uint8

const (
	atLine chunkAt = iota
	atData
	atEnd // the CRLF behind a chunk's data
	atTrailers
)

// Chunked is how far a chunked body has been read. Its zero value stands at the
// first chunk's line. It holds no pointer and no byte of the body, so what was
// not consumed must be given again.
type Chunked struct {
	Left int64 // bytes left of the chunk under way
	Read int64 // bytes of data so far
	debt int32 // framing not yet paid for, see charge
	at   chunkAt
}

// Done tells whether the last chunk's line has been read.
func (c *Chunked) Done() bool { return c.at == atTrailers }

// Next takes one thing off the start of b: data in pieces as large as they are
// there, or framing. What it says does not depend on where b was cut. Size lines
// follow the rules of NextChunkLine. A nil lim means the default limits. The
// error is an *Error with an offset in b; after it nothing can be made of the
// body any more. It allocates only on error.
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

// took counts off n bytes of data.
func (c *Chunked) took(n int) {
	c.Left -= int64(n)
	c.Read += int64(n)
	if c.Left == 0 {
		c.at = atEnd
	}
}

// charge bounds chunk framing by the data that it frames. A line is free up to
// freeLine bytes and one byte more per byte of data; what it takes beyond that
// is owed, may be worked off by later chunks, and must not outgrow the limit. So
// small chunks are fine and long extensions are fine, but a stream of one in the
// other is not. It reports whether the bound holds.
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
// many bytes it wrote and how many of src it consumed. It goes on as far as one
// of them allows, or stops behind data that it has copied; so ask again until it
// returns two zeros: then src has too little to go by, dst is full, or Done. dst
// may begin at the same byte as src, to decode a body in place.
//
// The error is an *Error with an offset in src; nothing is written then.
// Otherwise as Next.
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

// whole copies the data of chunks from src[n] on that are all there and fit into
// dst, up to the first whose line is not just a few digits. It returns how many
// bytes it wrote, and n behind the chunks.
func (c *Chunked) whole(dst, src []byte, n int, lim *ChunkLimits) (written, end int) {
	if lim != nil && lim.Body > 0 && lim.Body-c.Read < int64(len(dst)) {
		dst = dst[:max(lim.Body-c.Read, 0)]
	}
	if lim != nil && lim.Line > 0 && lim.Line < 8 {
		return 0, n
	}
	lines := 0 // bytes of size lines, beyond what is free
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
		case size-8 <= 8 && size >= 8: // both words are loaded before one is stored
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

// plainLine reads a size line of one to six digits, no extension and CRLF at the
// start of w; size is 0 when that is not what w begins with.
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
