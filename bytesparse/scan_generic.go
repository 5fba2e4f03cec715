package bytesparse

// indexBad returns the index of the first byte of b, from index from on, that
// may not stand in a field value, HTAB left aside; len(b) when there is none.
func indexBad(b []byte, from int) int {
	for ; from < len(b); from++ {
		if class[b[from]]&classValue == 0 {
			return from
		}
	}
	return from
}

// IndexHeadEnd looks for the empty line that ends a head or a trailer section.
// b begins at the section's first byte and from is 0 in the first call, next of
// the call before in later ones, as b grows. It returns
//
//   - end > 0: the section is b[:end], its empty line included;
//   - end == 0: not there yet; go on from next when more has arrived;
//   - end < 0: b holds a byte that no further byte can make good (a bare LF or
//     CR or another control byte): waiting is pointless, and parsing b tells
//     the error.
//
// Its cost over all calls is a constant per byte, also when bytes arrive one
// at a time. It agrees with the Parse methods about where a head ends. An
// empty line at the very start counts: it is a whole trailer section, and an
// error in a head. It does not allocate.
func IndexHeadEnd(b []byte, from int) (end, next int) {
	last := -2 // the line end before
	if from == 0 {
		last = -2
	}
	for p := from; ; {
		p = indexBad(b, p)
		switch {
		case p == len(b):
			if last >= 0 && last+2 == p {
				return 0, last
			}
			return 0, p
		case b[p] != '\r':
			return -1, 0
		case p+1 == len(b):
			if last >= 0 && last+2 == p {
				return 0, last
			}
			return 0, p
		case b[p+1] != '\n':
			return -1, 0
		case p == last+2:
			return p + 2, p + 2
		}
		last = p
		p += 2
	}
}
