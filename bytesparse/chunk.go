package bytesparse

// Chunk lines: chunk-size [ chunk-ext ] CRLF (RFC 9112 §7.1). The size is hex
// digits and nothing else. Extensions are checked and otherwise ignored.

// NextChunkLine reads the chunk-size line at the start of b. n is the length
// of the line with its CRLF and size the chunk's size in bytes; n is 0 with a
// nil error when the line is not complete yet. lim bounds n, in bytes. The
// error is an *Error, and the same wherever b was cut. It does not allocate
// unless it fails.
func NextChunkLine(b []byte, lim int) (n int, size int64, err error) {
	i := 0
	for ; i < len(b) && class[b[i]]&classHex != 0; i++ {
		if i >= lim {
			return 0, 0, &Error{ReasonChunkTooLong, i}
		}
		if size>>59 != 0 {
			return 0, 0, &Error{ReasonChunkOverflow, i}
		}
		size = size<<4 | int64(unhex(b[i]))
	}
	if i < len(b) && i == 0 {
		return 0, 0, &Error{ReasonChunkSize, 0}
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case i >= lim:
			return 0, 0, &Error{ReasonChunkTooLong, i}
		case c == '\n':
			return 0, 0, &Error{ReasonBareLF, i}
		case c == '\r':
			if i+1 == len(b) {
				return 0, 0, nil
			}
			if b[i+1] != '\n' {
				return 0, 0, &Error{ReasonBareCR, i}
			}
			return i + 2, size, nil
		}
	}
	return 0, 0, nil
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}
