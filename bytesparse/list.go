package bytesparse

import "iter"

// Lists with parameters, such as "gzip, br;q=0.5": Accept and the fields like it,
// Forwarded, Transfer-Encoding.

// ListItems iterates over the elements of a comma-separated list, separated as by
// NextToken (RFC 9110 §5.6.1). Each element is given as its item, up to the first
// semicolon that is not quoted, and its parameters, for Params; nil when there are
// none. Both are views into list, and neither is checked. It does not allocate.
func ListItems(list []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(item, params []byte) bool) {
		for rest := list; ; {
			element, more, ok := NextToken(rest)
			if !ok {
				return
			}
			rest = more
			item, params := cutUnquoted(element)
			if !yield(trimOWS(item), params) {
				return
			}
		}
	}
}

// Params iterates over parameters separated by semicolons (RFC 9110 §5.6.6): names,
// which are case-insensitive, and values. A quoted value is given with its quotes (see
// AppendUnquoted). A name without "=" has a nil value; empty parameters are skipped.
// Names and values are views into params, and neither is checked. It does not allocate.
func Params(params []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for rest := params; len(rest) > 0; {
			var one []byte
			one, rest = cutUnquoted(rest)
			name, value := trimOWS(one), []byte(nil)
			if i := indexEither(name, 0, '=', '='); i < len(name) {
				name, value = trimOWS(name[:i]), trimOWS(name[i+1:])
			}
			if (len(name) > 0 || value != nil) && !yield(name, value) {
				return
			}
		}
	}
}

// cutUnquoted splits b at its first semicolon that is not quoted; after is nil when
// there is none.
func cutUnquoted(b []byte) (before, after []byte) {
	for i, quoted := indexEither(b, 0, ';', '"'), false; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ';':
			return b[:i:i], b[i+1:]
		}
	}
	return b, nil
}

// AppendUnquoted appends the value of a parameter to dst: a quoted string decoded
// (RFC 9110 §5.6.4), anything else unchanged. ok is false, and dst is returned as it
// was, for a string that is not closed or is closed before the end of value. It
// allocates only to grow dst.
func AppendUnquoted(dst, value []byte) (out []byte, ok bool) {
	if len(value) == 0 || value[0] != '"' {
		return append(dst, value...), true
	}
	n := len(dst)
	for i := 1; i < len(value); i++ {
		c := value[i]
		if c == '"' {
			if i+1 == len(value) {
				return dst, true
			}
			break
		}
		if c == '\\' {
			if i++; i == len(value) {
				break
			}
			c = value[i]
		}
		dst = append(dst, c)
	}
	return dst[:n], false
}

// ParseQuality returns the weight that its parameters give an element, in thousandths:
// the value of "q", or 1000 when there is none (RFC 9110 §12.4.2). ok is false unless
// it is a number from 0 to 1 with at most three decimals.
func ParseQuality(params []byte) (thousandths int, ok bool) {
	for name, value := range Params(params) {
		if len(name) == 1 && name[0]|0x20 == 'q' {
			return parseWeight(value)
		}
	}
	return 1000, true
}

func parseWeight(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 5 || b[0] > '1' || b[0] < '0' || len(b) > 1 && b[1] != '.' {
		return 0, false
	}
	weight := int(b[0]-'0') * 1000
	for i, scale := 2, 100; i < len(b); i++ {
		if class[b[i]]&classDigit == 0 {
			return 0, false
		}
		weight += int(b[i]-'0') * scale
		scale /= 10
	}
	return weight, weight <= 1000
}
