package bytesparse

// Response heads. The status line has a fixed layout up to its thirteenth byte; the
// reason phrase is free text and may be absent, with or without the blank before it.

// ParseResponse parses the response head at the start of b (RFC 9112 §2, §4,
// §5), as ParseRequest does for a request. Folded lines (obs-fold) are unfolded in b
// itself, CR and LF becoming SP, as RFC 9112 §5.2 requires of user agents: the caller
// must own b and allow it to be modified.
func (h *Head) ParseResponse(b []byte, lim *Limits) (n int, err error) {
	b = b[:min(len(b), maxHead)]
	if len(b) == 0 {
		return h.incomplete(h.Fields)
	}
	n = h.begin(b, lim.fields(), statusLine)
	e := h.m.eol
	if !isLineEnd(b, e) {
		e = h.m.startEnd(b)
	}
	for e < len(b) && isText(b[e]) { // of a reason phrase
		e = h.m.indexV(b, e+1)
	}
	if cutShort(b, e) {
		return h.incomplete(h.Fields)
	}
	if !isLineEnd(b, e) || e < len("HTTP/1.1 200") {
		return h.statusFault(b)
	}
	minor, ok := minorOf(load64(b, 0))
	d1, d2, d3 := b[9]-'0', b[10]-'0', b[11]-'0'
	if !ok || b[8] != ' ' || d1-1 > 8 || d2 > 9 || d3 > 9 || e > 12 && b[12] != ' ' {
		return h.statusFault(b)
	}
	h.Method, h.Minor = 0, minor
	h.Name, h.Target = Span{}, Span{}
	h.Status = uint16(d1)*100 + uint16(d2)*10 + uint16(d3)
	reason := min(13, e)
	h.Reason = Span{uint32(reason), uint32(e - reason)}
	if n > 0 {
		return n, nil
	}
	return h.parseFields(b, e+2, lim, true)
}
