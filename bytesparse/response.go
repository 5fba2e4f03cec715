package bytesparse

// Response heads. The status line is fixed up to its thirteenth byte; the
// reason phrase is free text and may be missing with or without its blank.

// ParseResponse parses the response head at the start of b (RFC 9112 §2, §4,
// §5), as ParseRequest does with a request's. Lines folded in the obsolete way
// are unfolded in b itself, CR and LF becoming SP as RFC 9112 §5.2 demands of
// user agents: b must be the caller's to change.
func (h *Head) ParseResponse(b []byte, lim *Limits) (n int, err error) {
	var m masks
	b = b[:min(len(b), maxHead)]
	h.Reset()
	e := m.lineEnd(b, 0)
	if cutShort(b, e) {
		return 0, nil
	}
	if !isLineEnd(b, e) || e < len("HTTP/1.1 200") {
		return h.statusFault(b)
	}
	minor, ok := minorOf(load64(b, 0))
	d1, d2, d3 := b[9]-'0', b[10]-'0', b[11]-'0'
	if !ok || b[8] != ' ' || d1-1 > 8 || d2 > 9 || d3 > 9 || e > 12 && b[12] != ' ' {
		return h.statusFault(b)
	}
	h.Minor = minor
	h.Status = uint16(d1)*100 + uint16(d2)*10 + uint16(d3)
	reason := min(13, e)
	h.Reason = Span{uint32(reason), uint32(e - reason)}
	return h.parseFields(b, &m, e+2, lim, true)
}
