// Conn: the machine itself, and the way from nothing to a complete head.
//
// Strategy: offer whatever is there to the parser at once; in a well-behaved
// world the whole head is in it, and that one parse is all. Only when it is
// not, fall back to the resumable search for the empty line, so that a head
// that comes byte by byte costs a constant per byte and is parsed once.

package h1

import "github.com/gale-http/gale/bytesparse"

// Conn reads the messages of one direction of one connection: requests for a
// Server, responses for a Client. It sees bytes and says what they are; it
// holds no buffer, no pointer and no clock, and is small enough to stay with a
// connection at rest. The zero value is a Server at the start of a connection.
// Not for concurrent use. Nothing here allocates, errors apart.
type Conn struct {
	body    bytesparse.Chunked // its counts serve for a body that is not chunked too
	scan    uint32             // flagSearch: where the search for the empty line goes on
	status  uint16             // Client: of the last head
	flags   flags
	state   state
	role    Role
	framing BodyFraming
	method  bytesparse.Method // Server: of the last head; Client: of the request being answered
	minor   uint8
	interim uint8 // Client: interim responses since the last final one
	// Truncated says that the stream ends although the peer has not announced the end, as it does over
	// TLS with a close_notify: a body that only the end of the stream would end is then incomplete
	// (RFC 9112 §9.8). It is to be set before the eof that it is about.
	Truncated bool
}

// maxInterim bounds the interim responses to one request.
const maxInterim = 64

// Reset makes c a fresh machine for the given role, whatever it was before.
func (c *Conn) Reset(role Role) { *c = Conn{role: role} }

// SetRequest tells a Client which method the next response answers: there is no
// body in a response to HEAD, and a tunnel behind a 2xx to CONNECT (RFC 9112
// §6.3). Call it before NextHead; it holds until changed.
func (c *Conn) SetRequest(m bytesparse.Method) { c.method = m }

// NextHead steps from between two messages to the next one's head. data is all
// that was received and not consumed; eof says that nothing will follow it.
//
//   - HeadDone: data[:n] is the head, parsed into h with positions relative to
//     data, and found good; the accessors describe it, and Next reads its body.
//     With ErrExpectation, and no other error, HeadDone comes with err set.
//   - NeedMore: n bytes (0, or 2 for an empty line before a request) are consumed;
//     when n > 0 call again at once, otherwise with more behind data. h is undefined.
//   - End: no message follows: the peer closed between messages, or the last one
//     was the last (KeepAlive false). What else is in data has no meaning.
//   - err: *Error. Nothing more can be parsed on this connection.
//
// data must begin with the same bytes again until they are consumed. A Client's
// data may be written to: obs-fold becomes spaces (RFC 9112 §5.2). lim may be
// nil. Interim responses are heads of their own: see Interim.
func (c *Conn) NextHead(data []byte, eof bool, h *bytesparse.Head, lim *Limits) (n int, ev Event, err error) {
	if lim == nil {
		lim = &byDefault
	}
	most := lim.HeadBytes
	if most == 0 {
		most = DefaultHeadBytes
	}
	if c.state != stateIdle || c.role != Server || c.flags&flagSearch != 0 || len(data) > most {
		return c.nextHead(data, eof, h, lim)
	}
	n, err = h.ParseRequest(data, &lim.Parse)
	if n == 0 {
		if len(data) == 0 || data[0] == '\r' {
			return c.beforeHead(data, eof)
		}
		return c.judge(0, err, data, eof, h, lim)
	}
	if h.Minor == 0 || h.HasAny(bodyFields) || data[h.Target.Off] != '/' ||
		h.Method == bytesparse.MethodConnect || h.Method == bytesparse.MethodHead {
		return c.accept(data[:n], h, lim)
	}
	if !h.KnownHost(data) {
		if !h.ValidHost(data) {
			return c.accept(data[:n], h, lim)
		}
	}
	if h.Has(bytesparse.FieldConnection) {
		if !keepsAlive(data, h) {
			return c.accept(data[:n], h, lim)
		}
	}
	// Nearly every request is like this, and there is nothing more to say about it: see Usual.
	if c.flags&flagUsual == 0 { // else so was the one before
		c.body, c.scan, c.status, c.minor, c.framing = bytesparse.Chunked{}, 0, 0, 1, None
	}
	c.method, c.flags = h.Method, flagKeepAlive|flagUsual
	return n, HeadDone, nil
}

// nextHead is NextHead where no request begins with data.
func (c *Conn) nextHead(data []byte, eof bool, h *bytesparse.Head, lim *Limits) (n int, ev Event, err error) {
	if c.state != stateIdle {
		return c.outOfTurn()
	}
	window := data
	if limit := lim.headBytes(); len(window) > limit {
		window = window[:limit] // what is beyond must not matter: the outcome would depend on how the bytes were cut
	}
	if c.flags&flagSearch == 0 {
		if len(data) == 0 || data[0] == '\r' {
			return c.beforeHead(data, eof)
		}
		n, err = c.parse(window, h, lim)
	}
	return c.judge(n, err, window, eof, h, lim)
}

// judge goes on after the parser's first look at window, which has found a head of n bytes, or a
// fault, or neither.
func (c *Conn) judge(n int, err error, window []byte, eof bool, h *bytesparse.Head, lim *Limits) (int, Event, error) {
	if err != nil {
		return c.fail(fromParser(err))
	}
	if n == 0 {
		if n, err = c.searchHead(window, eof, h, lim); err != nil {
			return c.fail(err)
		} else if n == 0 {
			return 0, NeedMore, nil
		}
	}
	return c.accept(window[:n], h, lim)
}

// outOfTurn is NextHead where no head can come next.
func (c *Conn) outOfTurn() (int, Event, error) {
	switch c.state {
	case stateStopped:
		return 0, End, nil
	case stateFailed:
		return 0, NeedMore, ErrFailed
	}
	return 0, NeedMore, ErrBodyUnread
}

// beforeHead handles what is not a head's first byte: no byte at all, or the CR of an empty line. A
// server drops one empty line, for the sake of clients that send a line break too many behind a
// body (RFC 9112 §2.2).
func (c *Conn) beforeHead(data []byte, eof bool) (int, Event, error) {
	switch {
	case len(data) == 0 && !eof:
		return 0, NeedMore, nil
	case len(data) == 0 && c.flags&flagInterim != 0:
		return c.fail(ErrUnexpectedEOF) // the final response is missing
	case len(data) == 0:
		c.state = stateStopped
		return 0, End, nil
	case c.role == Client:
		return c.fail(errLeadingByte)
	case c.flags&flagBlank != 0:
		return c.fail(errEmptyLines)
	case len(data) == 1:
		return c.needMore(eof)
	case data[1] != '\n':
		return c.fail(errStrayCR)
	}
	c.flags |= flagBlank
	return 2, NeedMore, nil
}

// parse parses a head without judging it; it returns 0 and nil when the head is incomplete.
func (c *Conn) parse(window []byte, h *bytesparse.Head, lim *Limits) (int, error) {
	if c.role == Client {
		return h.ParseResponse(window, lim.parser())
	}
	return h.ParseRequest(window, lim.parser())
}

// searchHead looks for the end of an incomplete head, and parses the head when it is there; it
// returns 0 and nil when it is not. Faults of line structure are left to the parser.
func (c *Conn) searchHead(window []byte, eof bool, h *bytesparse.Head, lim *Limits) (int, error) {
	found := c.search(window)
	if found {
		n, err := c.parse(window, h, lim)
		switch {
		case err != nil:
			err = fromParser(err)
		case n == 0:
			err = errBadHead
		}
		return n, err
	}
	switch limit := lim.headBytes(); {
	case len(window) >= limit && c.role == Server && targetTooLong(window, lim):
		return 0, ErrTargetTooLong
	case len(window) >= limit:
		return 0, ErrHeadTooLarge
	case eof:
		return 0, ErrUnexpectedEOF
	}
	return 0, nil
}

// search goes on looking for the empty line from where it last stopped. It
// reports true when the parser can say more: the end is there, or a line
// structure that waiting cannot mend.
func (c *Conn) search(window []byte) bool {
	from := min(int(c.scan), len(window))
	if c.flags&flagSearch == 0 {
		from = 0
	}
	end, next := bytesparse.IndexHeadEnd(window, from)
	if end != 0 {
		c.flags &^= flagSearch
		c.scan = 0
		return true
	}
	c.flags |= flagSearch
	c.scan = uint32(next)
	return false
}

// accept judges a complete head b and sets up its body.
func (c *Conn) accept(b []byte, h *bytesparse.Head, lim *Limits) (int, Event, error) {
	c.body, c.scan = bytesparse.Chunked{}, 0
	c.minor = h.Minor
	var err error
	if c.role == Client {
		err = c.acceptResponse(b, h, lim)
	} else {
		err = c.acceptRequest(b, h, lim)
	}
	if err != nil && err != ErrExpectation {
		return c.fail(err)
	}
	return len(b), HeadDone, err
}

// fail ends the machine with err.
func (c *Conn) fail(err error) (int, Event, error) {
	c.state = stateFailed
	c.flags &^= flagKeepAlive | flagUsual
	return 0, NeedMore, err
}

// needMore is a step that has too few bytes to go on.
func (c *Conn) needMore(eof bool) (int, Event, error) {
	if eof {
		return c.fail(ErrUnexpectedEOF)
	}
	return 0, NeedMore, nil
}

// finish ends a message: on to the next one, or to the end.
func (c *Conn) finish() {
	c.flags &^= flagSearch
	c.scan = 0
	if c.flags&flagKeepAlive != 0 {
		c.state = stateIdle
	} else {
		c.state = stateStopped
	}
}
