// The body: which of the bytes behind a head are content, and where it ends. One kind of thing per
// step; data is never copied, chunks are handed out in pieces as they come, and framing is consumed
// as soon as it is whole.

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
			return c.needMore(eof)
		}
		if n = c.take(data); c.body.Left == 0 {
			c.finish()
		}
		return n, Data, nil
	case stateUntilClose:
		return c.nextUntilClose(data, eof, lim)
	case stateChunked:
		return c.nextChunk(data, eof, lim)
	case stateTrailers:
		return c.nextTrailers(data, eof, h, lim)
	}
	return 0, NeedMore, ErrFailed
}

// take counts the part of data that belongs to the remaining bytes.
func (c *Conn) take(data []byte) int {
	n := int(min(int64(len(data)), c.body.Left))
	c.body.Left -= int64(n)
	c.body.Read += int64(n)
	return n
}

func (c *Conn) nextUntilClose(data []byte, eof bool, lim *Limits) (int, Event, error) {
	if len(data) == 0 {
		switch {
		case !eof:
			return 0, NeedMore, nil
		case c.Truncated:
			return c.fail(ErrNoCloseNotify)
		}
		c.finish()
		return 0, End, nil
	}
	n := int64(len(data))
	if limit, ok := lim.bodyBytes(); ok {
		if c.body.Read == limit {
			return c.fail(ErrBodyTooLarge)
		}
		n = min(n, limit-c.body.Read) // what is within the limit is handed out wherever segments end
	}
	c.body.Read += n
	return int(n), Data, nil
}

// nextChunk takes data or framing off a chunked body. The framing between the data of two chunks is
// one step when all of it is there (RFC 9112 §7.1).
func (c *Conn) nextChunk(data []byte, eof bool, lim *Limits) (int, Event, error) {
	cl := lim.chunks()
	n, ev, err := c.body.Next(data, &cl)
	if err != nil {
		return c.fail(fromParser(err))
	}
	switch ev {
	case bytesparse.ChunkMore:
		return c.needMore(eof)
	case bytesparse.ChunkData:
		return n, Data, nil
	case bytesparse.ChunkLast:
		c.state = stateTrailers
		if len(data) >= n+2 && data[n] == '\r' && data[n+1] == '\n' {
			c.finish()
			return n + 2, End, nil
		}
	}
	return n, Framing, nil
}

// Decode reads a chunked body as Next does, but in large steps: it copies body bytes from data to
// dst, which may begin at the same byte, and leaves out the framing between them. It returns how
// many bytes it wrote and how many of data it consumed. When both are 0, Next must be called: the
// body is not chunked, or there is no data to be had. dst must not be empty. After an error nothing
// can be parsed, as after one of Next.
func (c *Conn) Decode(dst, data []byte, lim *Limits) (written, n int, err error) {
	if c.state != stateChunked {
		return 0, 0, nil
	}
	cl := lim.chunks()
	written, n, err = c.body.Decode(dst, data, &cl)
	switch {
	case err != nil:
		_, _, err = c.fail(fromParser(err))
	case c.body.Done():
		c.state = stateTrailers
	}
	return written, n, err
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
			return c.needMore(eof)
		case data[0] == '\r' && data[1] == '\n':
			c.finish()
			return 2, End, nil
		}
	}
	if !c.search(window) {
		if len(window) >= limit {
			return c.fail(ErrTrailersTooLarge)
		}
		return c.needMore(eof)
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
	n, err := h.ParseTrailers(window, lim.parser())
	switch {
	case err != nil:
		return 0, fromParser(err)
	case n == 0:
		return 0, errBadHead
	}
	return n, nil
}
