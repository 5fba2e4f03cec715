// What a complete head means. Each rule that concerns more than one byte or one line is decided
// here, before anyone acts on the message. The usual request has none of the fields that need a
// closer look, so one bit each tells what might be there, and only what is there costs work.

package h1

import (
	"encoding/binary"

	"github.com/gale-http/gale/bytesparse"
)

// acceptRequest judges a request's head and sets up its body.
func (c *Conn) acceptRequest(b []byte, h *bytesparse.Head, lim *Limits) error {
	c.method = h.Method
	c.status = 0
	if h.Minor > 0 && !h.HasAny(bodyFields) && h.Method != bytesparse.MethodConnect &&
		b[h.Target.Off] == '/' && h.ValidHost(b) {
		c.flags, c.framing = connection(b, h), None // of nearly every request there is nothing more to say
		if c.flags == flagKeepAlive && h.Method != bytesparse.MethodHead {
			c.flags |= flagUsual
		}
		c.finish()
		return nil
	}
	if err := checkTarget(b, h); err != nil {
		return err
	}
	if err := checkHost(b, h); err != nil {
		return err
	}
	f, length, err := framing(b, h)
	if err != nil {
		return err
	}
	if limit, ok := lim.bodyBytes(); ok && length > limit {
		return ErrBodyTooLarge
	}
	c.flags = connection(b, h)
	var verdict error
	if h.Has(bytesparse.FieldExpect) && h.Minor > 0 {
		verdict = c.expect(b, h)
	}
	if h.Method == bytesparse.MethodConnect {
		if f == Chunked || length > 0 {
			return errConnectBody // RFC 9110 §9.3.6: CONNECT has no content
		}
		// What follows is the tunnel's, also where the tunnel is refused: a client may have begun to use it.
		c.flags = c.flags&^(flagKeepAlive|flagUpgrade) | flagTunnel
	}
	c.begin(f, length)
	return verdict
}

// bodyFields are the fields that need a closer look before anything can be said about a body.
const bodyFields uint64 = 1<<bytesparse.FieldContentLength |
	1<<bytesparse.FieldTransferEncoding |
	1<<bytesparse.FieldExpect

// acceptResponse judges a response's head and sets up its body, by the order of
// RFC 9112 §6.3: what the request and the status say comes before the fields.
func (c *Conn) acceptResponse(b []byte, h *bytesparse.Head, lim *Limits) error {
	c.status = h.Status
	flags := connection(b, h)
	switch {
	case h.Status < 200 && h.Status != 101:
		if c.interim++; c.interim > maxInterim {
			return ErrTooManyInterim
		}
		c.flags = flags | flagInterim | flagKeepAlive // it is the final response that decides
		c.begin(None, 0)
		return nil
	case h.Status == 101, h.Status < 300 && c.method == bytesparse.MethodConnect:
		c.interim = 0
		c.flags = flags&^flagKeepAlive | flagTunnel
		c.begin(None, 0)
		return nil
	}
	c.interim = 0
	c.flags = flags
	if h.Status == 204 || h.Status == 304 || c.method == bytesparse.MethodHead {
		c.begin(None, 0)
		return nil
	}
	f, length, err := framing(b, h)
	if err != nil {
		return err
	}
	if limit, ok := lim.bodyBytes(); ok && length > limit {
		return ErrBodyTooLarge
	}
	if f == None {
		f = UntilClose
	}
	c.begin(f, length)
	return nil
}

// connection reads the version and the Connection fields: whether the peer
// lets the connection go on (RFC 9112 §9.3), and whether it asks for another
// protocol (RFC 9110 §7.8).
func connection(b []byte, h *bytesparse.Head) flags {
	if !h.Has(bytesparse.FieldConnection) {
		if h.Minor == 0 {
			return 0
		}
		return flagKeepAlive
	}
	var opts ConnectionOptions
	for i := h.Find(bytesparse.FieldConnection); i >= 0; i = nextLine(h, bytesparse.FieldConnection, i) {
		opts |= ParseConnection(h.Fields[i].ValueOf(b))
	}
	var f flags
	if opts&OptionClose == 0 && (h.Minor > 0 || opts&OptionKeepAlive != 0) {
		f |= flagKeepAlive
	}
	if opts&OptionUpgrade != 0 && h.Minor > 0 && namesProtocol(b, h) {
		f |= flagUpgrade
	}
	return f
}

// keepsAlive reports whether the Connection fields of an HTTP/1.1 request ask for nothing but what
// holds anyway.
func keepsAlive(b []byte, h *bytesparse.Head) bool {
	if i := h.Find(bytesparse.FieldConnection); !h.Dup(bytesparse.FieldConnection) {
		return ParseConnection(h.Fields[i].ValueOf(b))&^OptionKeepAlive == 0
	}
	return connection(b, h) == flagKeepAlive
}

// nextLine is NextIndex without the search where there is nothing to find.
func nextLine(h *bytesparse.Head, id bytesparse.FieldID, i int) int {
	if !h.Dup(id) {
		return -1
	}
	return h.NextIndex(id, i)
}

// namesProtocol reports whether an Upgrade field names anything.
func namesProtocol(b []byte, h *bytesparse.Head) bool {
	for i := h.Index(bytesparse.FieldUpgrade); i >= 0; i = nextLine(h, bytesparse.FieldUpgrade, i) {
		if _, _, ok := bytesparse.NextToken(h.Fields[i].ValueOf(b)); ok {
			return true
		}
	}
	return false
}

// ConnectionOptions is what a Connection field says, as far as gale is concerned.
type ConnectionOptions uint8

// The options. Others (names of hop-by-hop fields) are left to whoever forwards.
const (
	OptionClose ConnectionOptions = 1 << iota
	OptionKeepAlive
	OptionUpgrade
)

// ParseConnection reads the value of one Connection field line (RFC 9110
// §7.6.1). The options of several lines are or-ed together. It does not allocate.
func ParseConnection(value []byte) ConnectionOptions {
	// Nearly every client says one of these two and nothing else. lowerCase makes these of no other
	// bytes that a value may have.
	const lowerCase = 0x2020202020202020
	switch len(value) {
	case len("keep-alive"):
		if binary.LittleEndian.Uint64(value)|lowerCase == 'k'|'e'<<8|'e'<<16|'p'<<24|'-'<<32|'a'<<40|'l'<<48|'i'<<56 &&
			value[8]|' ' == 'v' && value[9]|' ' == 'e' {
			return OptionKeepAlive
		}
	case len("close"):
		if binary.LittleEndian.Uint32(value)|lowerCase&(1<<32-1) == 'c'|'l'<<8|'o'<<16|'s'<<24 && value[4]|' ' == 'e' {
			return OptionClose
		}
	}
	var opts ConnectionOptions
	for {
		option, rest, ok := bytesparse.NextToken(value)
		if !ok {
			return opts
		}
		value = rest
		switch {
		case bytesparse.EqualFold(option, "close"):
			opts |= OptionClose
		case bytesparse.EqualFold(option, "keep-alive"):
			opts |= OptionKeepAlive
		case bytesparse.EqualFold(option, "upgrade"):
			opts |= OptionUpgrade
		}
	}
}

// expect reads the Expect fields of an HTTP/1.1 request. flagExpect is set even with
// ErrExpectation: a client that asks for a 100 as well waits for it.
func (c *Conn) expect(b []byte, h *bytesparse.Head) (verdict error) {
	for i := h.Index(bytesparse.FieldExpect); i >= 0; i = nextLine(h, bytesparse.FieldExpect, i) {
		list := h.Fields[i].ValueOf(b)
		for {
			expectation, rest, ok := bytesparse.NextToken(list)
			if !ok {
				break
			}
			list = rest
			if bytesparse.EqualFold(expectation, "100-continue") {
				c.flags |= flagExpect
			} else {
				verdict = ErrExpectation
			}
		}
	}
	return verdict
}
