// The body: what of the bytes behind a head is content, and where it ends.
// One kind of thing per step; data is never copied, chunks are handed out in
// pieces as they come, and framing is consumed as soon as it is whole.

package h1

import "github.com/gale-http/gale/bytesparse"

// Next steps through the body of the message whose head NextHead found. data
// and eof are as in NextHead; h receives the trailers and must not be the Head
// of the message itself, whose positions the caller may still want. h may be
// nil: trailers are then judged and forgotten (which allocates if there are any).
//
//   - Data: data[:n] is body. Where it ends says nothing about the message.
//   - Framing: data[:n] was framing. Drop it and call again.
//   - NeedMore: n is 0. Call again with more.
//   - Trailers: data[:n] is the trailer section, in h with positions relative to
//     data. h is not touched by a message without trailers: clear it before.
//   - End: the message is complete, n bytes of framing included. The next call is
//     NextHead. Further calls of Next answer End again and look at nothing.
//   - err: *Error. The message is cut short; ErrUnexpectedEOF when the peer left.
//
// For a message without a body the first call answers End.
func (c *Conn) Next(data []byte, eof bool, h *bytesparse.Head, lim *Limits) (n int, ev Event, err error) {
	switch c.state {
	case stateIdle, stateStopped:
		return 0, End, nil
	case stateLength:
		if len(data) == 0 {
			return c.starve(eof)
		}
		if n = c.take(data); c.remaining == 0 {
			c.finish()
		}
		return n, Data, nil
	case stateChunkData:
		if len(data) == 0 {
			return c.starve(eof)
		}
		if n = c.take(data); c.remaining == 0 {
			c.state = stateChunkEnd
		}
		return n, Data, nil
	case stateUntilClose:
		return c.nextUntilClose(data, eof, lim)
	case stateChunkLine, stateChunkEnd:
		return c.nextChunk(data, eof, lim)
	case stateTrailers:
		return c.nextTrailers(data, eof, h, lim)
	}
	return 0, NeedMore, ErrFailed
}

// take counts off what data holds of the remaining bytes.
func (c *Conn) take(data []byte) int {
	n := len(data)
	if int64(n) > c.remaining {
		n = int(c.remaining)
	}
	c.remaining -= int64(n)
	c.bodyRead += int64(n)
	return n
}

func (c *Conn) nextUntilClose(data []byte, eof bool, lim *Limits) (int, Event, error) {
	if len(data) == 0 {
		if eof {
			c.finish()
			return 0, End, nil
		}
		return 0, NeedMore, nil
	}
	n := int64(len(data))
	if limit, ok := lim.bodyBytes(); ok {
		if c.bodyRead == limit {
			return c.fail(ErrBodyTooLarge)
		}
		n = min(n, limit-c.bodyRead) // what is within the limit is handed out wherever segments end
	}
	c.bodyRead += n
	return int(n), Data, nil
}

// nextChunk consumes what stands between two chunks' data: the CRLF that ends
// the one and the size line that begins the other, in one step when both are
// there (RFC 9112 §7.1).
func (c *Conn) nextChunk(data []byte, eof bool, lim *Limits) (int, Event, error) {
	skip := 0
	if c.state == stateChunkEnd {
		switch {
		case len(data) > 0 && data[0] != '\r', len(data) > 1 && data[1] != '\n':
			return c.fail(errChunkEnd)
		case len(data) < 2:
			return c.starve(eof)
		}
		skip = 2
		c.state = stateChunkLine
	}
	limit := lim.chunkLine()
	n, size, err := bytesparse.NextChunkLine(data[skip:], limit)
	switch {
	case err != nil:
		return c.fail(fromParser(err))
	case n > limit:
		return c.fail(errChunkLong)
	case n == 0 && skip > 0:
		return skip, Framing, nil
	case n == 0:
		return c.starve(eof)
	}
	if !c.charge(n, size, lim) {
		return c.fail(errChunkTooMuch)
	}
	if most, ok := lim.bodyBytes(); ok && size > most-c.bodyRead {
		return c.fail(ErrBodyTooLarge)
	}
	n += skip
	if size > 0 {
		c.remaining = size
		c.state = stateChunkData
		return n, Framing, nil
	}
	c.state = stateTrailers
	if len(data) >= n+2 && data[n] == '\r' && data[n+1] == '\n' {
		c.finish()
		return n + 2, End, nil
	}
	return n, Framing, nil
}

// freeLine is what a chunk-size line may take without being charged for: a
// size of fourteen digits, far more than anybody needs.
const freeLine = 16

// charge bounds chunk framing by the data that it frames. A line is free up to
// freeLine bytes and one byte more per byte of data; what it takes beyond that
// is owed, may be worked off by later chunks, and must not outgrow
// Limits.ChunkOverhead. So small chunks are fine and long extensions are fine,
// but a stream of one in the other is not. It reports whether the bound holds.
func (c *Conn) charge(line int, size int64, lim *Limits) bool {
	limit := lim.chunkOverhead()
	if limit == unlimited {
		return true
	}
	owed := max(int64(c.debt)+int64(line)-freeLine-size, 0)
	c.debt = int32(min(owed, unlimited))
	return owed <= int64(limit)
}

// nextTrailers looks for the end of the trailer section (RFC 9112 §7.1.2).
func (c *Conn) nextTrailers(data []byte, eof bool, h *bytesparse.Head, lim *Limits) (n int, ev Event, err error) {
	window := data
	limit := lim.trailerBytes()
	if len(window) > limit {
		window = window[:limit]
	}
	if c.flags&flagSearch == 0 {
		switch {
		case len(data) == 0, len(data) == 1 && data[0] == '\r':
			return c.starve(eof)
		case data[0] == '\r' && data[1] == '\n':
			c.finish()
			return 2, End, nil
		}
	}
	if !c.search(window) {
		if len(window) >= limit {
			return c.fail(ErrTrailersTooLarge)
		}
		return c.starve(eof)
	}
	if n, err = parseTrailers(window, h, lim); err != nil {
		return c.fail(err)
	}
	c.finish()
	return n, Trailers, nil
}

// parseTrailers parses a section whose end has been found.
func parseTrailers(window []byte, h *bytesparse.Head, lim *Limits) (int, error) {
	if h == nil {
		h = new(bytesparse.Head)
	}
	pl := lim.parser()
	n, err := h.ParseTrailers(window, &pl)
	switch {
	case err != nil:
		return 0, fromParser(err)
	case n == 0:
		return 0, errBadHead
	}
	return n, nil
}
