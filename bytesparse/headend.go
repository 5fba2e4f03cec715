package bytesparse

// Finding the end of a head that arrives in pieces: from line end to line end
// as in the walk, over the new bytes only. A line end at the very end of what
// has arrived is looked at again next time, three bytes at most, so nothing
// needs to be remembered but a position.

// IndexHeadEnd looks for the empty line that ends a head or a trailer section.
// b begins at the section's first byte; from is 0 in the first call, and next
// of the call before in later ones, as b grows. It returns
//
//   - end > 0: the section is b[:end], its empty line included;
//   - end == 0: not there yet; go on from next when more has arrived;
//   - end < 0: b holds a byte that no further byte can make good (a bare LF or
//     CR, or a control byte other than HTAB): waiting is pointless, and parsing
//     b tells the error.
//
// The cost over all calls is a constant per byte, also when bytes arrive one at
// a time. It agrees with the Parse methods about where a head ends. An empty
// line at the very start counts: it is a whole trailer section, and an error as
// a head. It does not allocate.
func IndexHeadEnd(b []byte, from int) (end, next int) {
	var m masks
	t := b[from:]
	last := -3 // where the line end before begins
	if from == 0 {
		last = -2 // the start of b is as good as one
	}
	for p := 0; ; p += 2 {
		p = m.lineEnd(t, p)
		switch {
		case isLineEnd(t, p):
			if p == last+2 {
				return from + p + 2, from + p + 2
			}
			last = p
		case !cutShort(t, p):
			return -1, 0
		case last >= 0 && p == last+2: // may be half an empty line
			return 0, from + last
		default:
			return 0, from + p
		}
	}
}
