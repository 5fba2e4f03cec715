package bytesparse

// The judges decide what is wrong with a head, and where. They are called for the
// first line that the fast paths reject, after every line before it has been found
// valid, and report the first error of that line in byte order. Speed does not matter
// here.
//
// Their verdict depends on no byte after the head, or after the first byte that makes
// it invalid whatever follows. A head in which an earlier error may still appear is
// therefore not judged at all, and the outcome is the same wherever segments end.

// fault ends a parse with that error, or as incomplete if the head is.
func (h *Head) fault(b []byte, r Reason, offset int) (int, error) {
	h.Reset()
	if end, _ := IndexHeadEnd(b, 0); end == 0 {
		return 0, nil
	}
	return 0, &Error{r, offset}
}

// misplaced ends a parse because of the byte at b[i], which is not allowed there. A
// bare LF or bare CR is reported as such, not with reason r. If b ends at i, the head
// is incomplete.
func (h *Head) misplaced(b []byte, i int, r Reason) (int, error) {
	switch {
	case i == len(b):
	case b[i] == '\n':
		r = ReasonBareLF
	case b[i] == '\r' && i+1 < len(b) && b[i+1] != '\n':
		r = ReasonBareCR
	}
	return h.fault(b, r, i)
}

// indexNotFrom returns the index of the first byte of b, from index i on, that
// is not in the class; len(b) when there is none.
func indexNotFrom(b []byte, i int, bit uint8) int {
	for i < len(b) && class[b[i]]&bit != 0 {
		i++
	}
	return i
}

// requestFault judges the request line.
func (h *Head) requestFault(b []byte, lim *Limits) (int, error) {
	i := indexNotFrom(b, 0, classToken)
	switch {
	case i < len(b) && i > 0 && b[i] == ' ':
	case i < len(b) && b[i] == '\r':
		return h.misplaced(b, i, ReasonStartLine)
	default:
		return h.misplaced(b, i, ReasonMethod)
	}
	t := i + 1
	i = indexNotFrom(b, t, classTarget)
	switch {
	case i-t > lim.target():
		return h.fault(b, ReasonTargetTooLong, t+lim.target())
	case i < len(b) && i > t && b[i] == ' ':
	case i < len(b) && (b[i] == '\r' || b[i] == ' '):
		return h.misplaced(b, i, ReasonStartLine)
	default:
		return h.misplaced(b, i, ReasonTarget)
	}
	v := i + 1
	if i = indexNotVersion(b, v); i < v+len(versionLike) || i == len(b) || b[i] != '\r' {
		return h.misplaced(b, i, ReasonStartLine)
	}
	if b[v+5] != '1' {
		return h.fault(b, ReasonVersion, v)
	}
	return h.misplaced(b, i, ReasonStartLine)
}

// statusFault judges the status line.
func (h *Head) statusFault(b []byte) (int, error) {
	i := indexNotVersion(b, 0)
	switch {
	case i < len(versionLike) || i == len(b) || b[i] != ' ':
		return h.misplaced(b, i, ReasonStartLine)
	case b[5] != '1':
		return h.fault(b, ReasonVersion, 0)
	}
	i++
	for end := i + 3; i < end; i++ {
		if i == len(b) || class[b[i]]&classDigit == 0 || i == end-3 && b[i] == '0' {
			return h.misplaced(b, i, ReasonStatus)
		}
	}
	if i < len(b) && b[i] == ' ' {
		return h.misplaced(b, indexNotFrom(b, i, classValue), ReasonFieldValue)
	}
	return h.misplaced(b, i, ReasonStatus)
}

const versionLike = "HTTP/d.d"

// indexNotVersion returns the index, from i on, of the first byte of b that does not
// match a version's pattern or follows it; len(b) if b ends before that.
func indexNotVersion(b []byte, i int) int {
	for k := 0; k < len(versionLike) && i < len(b); k++ {
		want := versionLike[k]
		if b[i] != want && (want != 'd' || class[b[i]]&classDigit == 0) {
			break
		}
		i++
	}
	return i
}

// fieldFault judges the field line that begins at s.
func (h *Head) fieldFault(b []byte, s int) (int, error) {
	i := indexNotFrom(b, s, classToken)
	switch {
	case i-s > maxName:
		return h.fault(b, ReasonFieldName, s+maxName)
	case i == len(b):
		return h.fault(b, ReasonFieldName, i)
	case b[i] == ':' && i == s:
		return h.fault(b, ReasonEmptyName, i)
	case b[i] == ':':
		return h.misplaced(b, indexNotFrom(b, i, classValue), ReasonFieldValue)
	case !isOWS(b[i]):
		return h.misplaced(b, i, ReasonFieldName)
	case i == s:
		return h.fault(b, ReasonObsFold, i)
	}
	for k := i; k < len(b); k++ {
		if b[k] == ':' {
			return h.fault(b, ReasonSpaceBeforeColon, i)
		}
		if !isOWS(b[k]) {
			break
		}
	}
	return h.fault(b, ReasonFieldName, i)
}
