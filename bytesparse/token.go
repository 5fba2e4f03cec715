package bytesparse

// Values: numbers, tokens and lists. White space inside a value is SP and HTAB,
// numbers consist of digits only, and tokens are compared in full.

// EqualFold reports whether a and b are equal when the case of ASCII letters is
// ignored. Bytes from 0x80 up are compared exactly. It does not allocate.
func EqualFold[A, B string | []byte](a A, b B) bool {
	n := len(a)
	if n != len(b) {
		return false
	}
	i := 0
	for ; i+8 <= n; i += 8 {
		if !equalFoldWord(word(a, i), word(b, i)) {
			return false
		}
	}
	for ; i < n; i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// equalFoldWord is EqualFold for the eight bytes of x and of y: they may differ only in
// the bit 0x20, and only where there is a letter.
func equalFoldWord(x, y uint64) bool {
	d := x ^ y
	if d == 0 {
		return true
	}
	l := x&low7 | fold
	letter := (l + (0x80-'a')*each) &^ (l + (0x80-'z'-1)*each) &^ x
	return d&^fold == 0 && d<<2&^letter == 0
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// ParseUint parses a decimal number: one or more digits and nothing else, at most
// 2⁶³−1, as Content-Length requires (RFC 9110 §8.6). ok is false otherwise. It does
// not allocate.
func ParseUint(b []byte) (n int64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	for i, c := range b {
		d := int64(c - '0')
		if d > 9 || i >= 18 && n > (1<<63-1-d)/10 { // eighteen digits always fit
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// NextToken splits the first element off a comma-separated list (RFC 9110
// §5.6.1): SP and HTAB around elements are dropped and empty elements are
// skipped. token and rest are views into list; ok is false when no element is
// left. Elements are not checked: one that is not a token is returned in full,
// so that it compares unequal to every token. A comma inside a quoted string
// does not separate elements. It does not allocate.
func NextToken(list []byte) (token, rest []byte, ok bool) {
	for start := 0; ; {
		end := indexEither(list, start, ',', '"')
		if end < len(list) && list[end] == '"' {
			end = quotedListEnd(list, end)
		}
		if token = trimOWS(list[start:end]); len(token) > 0 {
			return token, list[min(end+1, len(list)):], true
		}
		if end == len(list) {
			return nil, nil, false
		}
		start = end + 1
	}
}

// quotedListEnd returns the index of the first comma of b from i on that is not
// quoted, len(b) when there is none.
func quotedListEnd(b []byte, i int) int {
	quoted := false
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ',':
			return i
		}
	}
	return len(b)
}

// ContainsToken reports whether token is among the elements of the comma-separated
// list, compared in full and without regard to case. It does not allocate.
func ContainsToken(list []byte, token string) bool {
	for {
		t, rest, ok := NextToken(list)
		if !ok {
			return false
		}
		if EqualFold(t, token) {
			return true
		}
		list = rest
	}
}

func trimOWS(b []byte) []byte {
	for len(b) > 0 && isOWS(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isOWS(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
