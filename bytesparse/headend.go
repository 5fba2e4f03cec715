package bytesparse

// Finding the end of a head that arrives in pieces: from line end to line end
// as in the walk, over the new bytes only. A line end at the very end of the input
// is examined again next time, three bytes at most, so that a position is all that
// needs to be remembered.

// IndexHeadEnd looks for the empty line that ends a head or a trailer section.
// b begins at the section's first byte; from is 0 in the first call and, as b grows,
// next of the previous call in later ones. It returns
//
//   - end > 0: the section is b[:end], its empty line included;
//   - end == 0: the end has not arrived; continue from next when there is more;
//   - end < 0: b holds a byte that makes it invalid whatever follows (a bare LF or
//     CR, or a control byte other than HTAB): there is no point in waiting, and
//     parsing b returns the error.
//
// The cost over all calls is a constant per byte, even when bytes arrive one at
// a time. It agrees with the Parse methods about where a head ends. An empty
// line at the very start counts: it is a complete trailer section, and an invalid
// head. It does not allocate.
func IndexHeadEnd(b []byte, from int) (end, next int) {
	var m masks
	t := b[from:]
	last := -3 // index of the previous line end
	if from == 0 {
		last = -2 // the start of b counts as one
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
		case last >= 0 && p == last+2: // may be the first half of an empty line
			return 0, from + last
		default:
			return 0, from + p
		}
	}
}
