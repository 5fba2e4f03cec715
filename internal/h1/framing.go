// Framing: how long a body is, decided once, from the complete head, in this
// one place, for every method (RFC 9112 §6). Two parties that disagree here
// are two parties between which a request can be smuggled, so whatever could
// be read in two ways is refused: one Content-Length of digits, or exactly one
// "chunked", or neither.

package h1

import "github.com/gale-http/gale/bytesparse"

// framing reads Content-Length and Transfer-Encoding of the head h in b. length
// is the body's for Length, else 0. With neither it returns None, which a
// response takes for UntilClose.
func framing(b []byte, h *bytesparse.Head) (f BodyFraming, length int64, err error) {
	counted := h.Has(bytesparse.FieldContentLength)
	coded := h.Has(bytesparse.FieldTransferEncoding)
	switch {
	case !counted && !coded:
		return None, 0, nil
	case counted && coded:
		return None, 0, errBothLengths // RFC 9112 §6.3 item 3: ought to be handled as an error
	case counted:
		length, err = contentLength(b, h)
		return Length, length, err
	case h.Minor == 0:
		return None, 0, errCoding10 // §6.1: its framing is to be taken as faulty
	}
	return Chunked, 0, transferCoding(b, h)
}

// contentLength returns the one Content-Length. A list of equal values, which
// RFC 9110 §8.6 lets a recipient refuse, is refused.
func contentLength(b []byte, h *bytesparse.Head) (int64, error) {
	if h.Dup(bytesparse.FieldContentLength) {
		return 0, errLengths
	}
	n, ok := bytesparse.ParseUint(h.Value(b, bytesparse.FieldContentLength))
	if !ok {
		return 0, errLength
	}
	return n, nil
}

// transferCoding returns nil for exactly one "chunked". Everything else is an error; the rest of
// the function tells which (RFC 9112 §6.1, §6.3 item 4).
func transferCoding(b []byte, h *bytesparse.Head) error {
	i := h.Index(bytesparse.FieldTransferEncoding)
	if !h.Dup(bytesparse.FieldTransferEncoding) && bytesparse.EqualFold(h.Fields[i].ValueOf(b), "chunked") {
		return nil
	}
	unknown, chunked := false, false
	for ; i >= 0; i = h.NextIndex(bytesparse.FieldTransferEncoding, i) {
		list := h.Fields[i].ValueOf(b)
		for {
			coding, rest, ok := bytesparse.NextToken(list)
			if !ok {
				break
			}
			list = rest
			switch name := codingName(coding); {
			case chunked, !bytesparse.IsToken(name):
				return errCoding // something behind chunked, or not a coding at all
			case bytesparse.EqualFold(name, "chunked"):
				chunked = true
			default:
				unknown = true
			}
		}
	}
	if unknown {
		return errUnknownCode
	}
	return errCoding // empty; or chunked with a parameter (it has none, §7.1) or among empty elements
}

// codingName returns a transfer coding without its parameters (RFC 9110
// §10.1.4).
func codingName(coding []byte) []byte {
	for i, c := range coding {
		if c == ';' {
			coding = coding[:i]
			break
		}
	}
	for n := len(coding); n > 0 && (coding[n-1] == ' ' || coding[n-1] == '\t'); n-- {
		coding = coding[:n-1]
	}
	return coding
}

// begin sets up the body that the head announced. flagKeepAlive is already
// what the head allows.
func (c *Conn) begin(f BodyFraming, length int64) {
	c.framing = f
	switch {
	case f == Chunked:
		c.state = stateChunked
	case f == UntilClose:
		c.flags &^= flagKeepAlive
		c.state = stateUntilClose
	case length > 0:
		c.body.Left = length
		c.state = stateLength
	default:
		c.finish()
	}
}
