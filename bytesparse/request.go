package bytesparse

// Request heads. The request line is read from both ends: the version is its last
// eight bytes, and everything between the first blank and the last must be the target.
// A surplus blank therefore shows up as an invalid byte in the target.

// ParseRequest parses the request head at the start of b (RFC 9112 §2–§5). b
// begins with the request line and may extend past the head.
//
// n is the size of the head, its empty line included, and h then describes it.
// n == 0 with a nil error means that the head is incomplete: call again with more
// bytes. The contents of h are then undefined, as they are after an error. The error
// is an *Error and does not depend on where b was cut. A nil lim means the default
// limits. It allocates only to grow h.Fields, and on error.
//
// HTTP/1.x with x > 1 is reported as Minor 1 (RFC 9110 §2.5). The target is
// neither decoded nor is its form checked, and no field is interpreted.
func (h *Head) ParseRequest(b []byte, lim *Limits) (n int, err error) {
	if uint(len(b)-1) < shortHead-1 && kernels() && cap(h.Fields) >= shortFields && (lim == nil || lim.permitShort()) {
		h.listed = false
		if n = short(h, b); n > 0 {
			return n, nil
		}
	}
	if kernels() && uint(len(b)-1) < maxHead {
		h.listed = false
		n = head(h, b, min(lim.fields(), cap(h.Fields)), requestLine)
		if n > 0 && h.Method != MethodOther && int(h.Target.Len) <= lim.target() {
			h.Reason = Span{} // Status is 0
			return n, nil
		}
		return h.parseRequest(b, lim, n)
	}
	if len(b) == 0 {
		return h.incomplete(h.Fields)
	}
	b = b[:min(len(b), maxHead)]
	return h.parseRequest(b, lim, h.begin(b, lim.fields(), requestLine))
}

// parseRequest continues ParseRequest after the fast walk, if there was one (see
// Head.begin); it reached the end of the head if n is not 0.
func (h *Head) parseRequest(b []byte, lim *Limits, n int) (int, error) {
	m := &h.m
	h.Status, h.Reason = 0, Span{}
	e := m.eol
	if n == 0 && !m.request {
		if e = m.startEnd(b); cutShort(b, e) {
			return h.incomplete(h.Fields)
		}
		if !isLineEnd(b, e) || !h.readRequestLine(b, e) {
			return h.requestFault(b, lim)
		}
	}
	if h.Method == MethodOther {
		h.Method = LookupMethod(b[:h.Name.Len])
	}
	if int(h.Target.Len) > lim.target() {
		return h.requestFault(b, lim)
	}
	if n > 0 {
		return n, nil
	}
	return h.parseFields(b, e+2, lim, false)
}

// readRequestLine reads the request line that ends at e and reports whether it is valid. If
// h.Method is MethodOther then, the method is still to be looked up.
func (h *Head) readRequestLine(b []byte, e int) bool {
	if e < minStart {
		return false
	}
	minor, ok := minorOf(load64(b, e-8))
	te := e - len(" HTTP/1.1") // the target's end
	if !ok || b[te] != ' ' {
		return false
	}
	t := len("GET") // the method's length
	h.Method = MethodGet
	if start := load64(b, 0); uint32(start) != get {
		if h.Method, t = methodWord(start); h.Method == MethodOther {
			for t = 0; class[b[t]]&classToken != 0; t++ { // CR is no token byte
			}
		}
		if t == 0 || b[t] != ' ' {
			return false
		}
	}
	h.Minor = minor
	h.Name = Span{0, uint32(t)}
	t++
	h.Target = Span{uint32(t), uint32(te - t)}
	return t < te && targetBytes(b[t:te])
}

// "HTTP/1.", as load64 reads it, with room for the digit in the top byte.
const http1 = 'H' | 'T'<<8 | 'T'<<16 | 'P'<<24 | '/'<<32 | '1'<<40 | '.'<<48

// minorOf reads a version from the eight bytes w. ok is false unless they are
// "HTTP/1." and a digit. A minor version above 1 counts as 1.
func minorOf(w uint64) (minor uint8, ok bool) {
	d := uint8(w>>56) - '0'
	return min(d, 1), w<<8>>8 == http1 && d <= 9
}
