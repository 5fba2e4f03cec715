package bytesparse

// ParseRequest parses the request head at the start of b (RFC 9112 §2–§5), b
// beginning with the request line and possibly going on past the head.
//
// n is the size of the head, its empty line included, and h then describes it.
// n == 0 with a nil error means that the head is not complete: ask again with
// more, h says nothing. The error is an *Error, and the same wherever b was
// cut. A nil lim means the default limits. It allocates only to grow h.Fields
// and on error.
func (h *Head) ParseRequest(b []byte, lim *Limits) (n int, err error) {
	return h.parse(b, lim, request)
}

// ParseResponse parses the response head at the start of b, as ParseRequest
// does. Lines folded in the obsolete way are unfolded in b itself: CR and LF
// become SP (RFC 9112 §5.2), so b must be the caller's to change.
func (h *Head) ParseResponse(b []byte, lim *Limits) (n int, err error) {
	return h.parse(b, lim, response)
}

// ParseTrailers parses the trailer section at the start of b: field lines up
// to and with the empty line (RFC 9112 §7.1.2), under the rules of a request's
// fields. It otherwise works as ParseRequest does; h should be a Head of its
// own, for trailers are not headers.
func (h *Head) ParseTrailers(b []byte, lim *Limits) (n int, err error) {
	return h.parse(b, lim, trailers)
}

const (
	request = iota
	response
	trailers
)

func (h *Head) parse(b []byte, lim *Limits, kind int) (int, error) {
	h.Reset()
	end, _ := IndexHeadEnd(b, 0)
	if end == 0 {
		return 0, nil
	}
	if end > 0 {
		b = b[:end]
	}
	s := 0
	if kind != trailers {
		e := indexBad(b, 0)
		if kind == request {
			if err := h.requestLine(b[:e], lim); err != nil {
				return 0, err
			}
		} else if err := h.statusLine(b[:e]); err != nil {
			return 0, err
		}
		if err := lineEnd(b, e, ReasonFieldValue); err != nil {
			return 0, err
		}
		s = e + 2
	}
	for {
		e := indexBad(b, s)
		if e == s && lineEnd(b, e, ReasonFieldName) == nil {
			h.Size = e + 2
			return e + 2, nil
		}
		n := s
		for n < len(b) && class[b[n]]&classToken != 0 {
			n++
		}
		switch {
		case n == e && b[e] != '\r' && b[e] != '\n':
			return 0, &Error{ReasonFieldName, e}
		case n == e:
			if err := lineEnd(b, e, ReasonFieldName); err != nil {
				return 0, err
			}
			return 0, &Error{ReasonFieldName, n}
		case b[n] != ':' && isOWS(b[n]) && n == s:
			return 0, &Error{ReasonObsFold, n}
		case b[n] != ':' && isOWS(b[n]):
			k := n
			for k < e && isOWS(b[k]) {
				k++
			}
			if k < e && b[k] == ':' {
				return 0, &Error{ReasonSpaceBeforeColon, n}
			}
			return 0, &Error{ReasonFieldName, n}
		case b[n] != ':' || n-s > 1<<16-1:
			return 0, &Error{ReasonFieldName, n}
		case n == s:
			return 0, &Error{ReasonEmptyName, n}
		}
		for {
			if err := lineEnd(b, e, ReasonFieldValue); err != nil {
				return 0, err
			}
			if kind != response || e+2 >= len(b) || !isOWS(b[e+2]) {
				break
			}
			b[e], b[e+1] = ' ', ' '
			e = indexBad(b, e)
		}
		if len(h.Fields) == lim.fields() {
			return 0, &Error{ReasonTooManyFields, s}
		}
		vs, ve := n+1, e
		for vs < ve && isOWS(b[vs]) {
			vs++
		}
		for ve > vs && isOWS(b[ve-1]) {
			ve--
		}
		id := LookupField(b[s:n])
		h.note(id, len(h.Fields))
		h.Fields = append(h.Fields, Field{uint32(s), uint32(vs), uint32(ve - vs), uint16(n - s), id})
		s = e + 2
	}
}

func lineEnd(b []byte, e int, other Reason) error {
	switch {
	case b[e] == '\n':
		return &Error{ReasonBareLF, e}
	case b[e] != '\r':
		return &Error{other, e}
	case e+1 < len(b) && b[e+1] != '\n':
		return &Error{ReasonBareCR, e}
	}
	return nil
}

func (h *Head) requestLine(l []byte, lim *Limits) error {
	i := indexNot(l, classToken)
	switch {
	case i < 0:
		return &Error{ReasonStartLine, len(l)}
	case i == 0 || l[i] != ' ':
		return &Error{ReasonMethod, i}
	}
	t := i + 1
	j := t
	for j < len(l) && class[l[j]]&classTarget != 0 {
		j++
	}
	switch {
	case j-t > lim.target():
		return &Error{ReasonTargetTooLong, t + lim.target()}
	case j == len(l), j == t && l[j] == ' ':
		return &Error{ReasonStartLine, j}
	case l[j] != ' ':
		return &Error{ReasonTarget, j}
	}
	h.Name = Span{0, uint32(i)}
	h.Method = LookupMethod(l[:i])
	h.Target = Span{uint32(t), uint32(j - t)}
	return h.version(l[j+1:], j+1)
}

func (h *Head) version(v []byte, off int) error {
	const like = "HTTP/d.d"
	if len(v) != len(like) || string(v[:5]) != "HTTP/" || class[v[5]]&class[v[7]]&classDigit == 0 || v[6] != '.' {
		return &Error{ReasonStartLine, off}
	}
	if v[5] != '1' {
		return &Error{ReasonVersion, off}
	}
	h.Minor = min(v[7]-'0', 1)
	return nil
}

func (h *Head) statusLine(l []byte) error {
	if len(l) < 12 || l[8] != ' ' {
		return &Error{ReasonStartLine, 0}
	}
	if err := h.version(l[:8], 0); err != nil {
		return err
	}
	n, ok := ParseUint(l[9:12])
	if !ok || n < 100 {
		return &Error{ReasonStatus, 9}
	}
	h.Status = uint16(n)
	if len(l) > 12 {
		if l[12] != ' ' {
			return &Error{ReasonStatus, 12}
		}
		h.Reason = Span{13, uint32(len(l) - 13)}
	}
	return nil
}
