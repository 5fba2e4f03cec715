package bytesparse

import (
	"iter"
	"math/bits"
)

// Request targets: the query, its pairs, and percent-encoding. Nothing is copied
// unless it must be decoded. Pairs are separated before they are decoded; otherwise an
// encoded "&" would separate them.

// CutQuery splits a request target, or any URI reference without a fragment, at its
// first "?" (RFC 3986 §3.4). path is the part before it, and query the part after it,
// nil if there is no "?"; an empty query is not nil. Both are views into target and
// still percent-encoded. It does not allocate.
func CutQuery(target []byte) (path, query []byte) {
	i := indexEither(target, 0, '?', '?')
	if i == len(target) {
		return target, nil
	}
	return target[:i:i], target[i+1:]
}

// CutTarget splits a request target of any form (RFC 9112 §3.2), as url.parse does in the
// seed. For origin-form ("/path?query") and "*", scheme and authority are nil. For
// absolute-form ("http://host:port/path?query") neither is nil, and an absent path is "/"
// (RFC 9110 §4.2.3). Anything else is taken as authority-form, and authority is all of it.
// query is nil when there is none. All are views into target, still percent-encoded, and
// none is checked. It does not allocate.
func CutTarget(target []byte) (scheme, authority, path, query []byte) {
	if len(target) == 0 || target[0] == '/' || len(target) == 1 && target[0] == '*' {
		path, query = CutQuery(target)
		return nil, nil, path, query
	}
	i := 0
	for i < len(target) && isScheme(target[i], i == 0) {
		i++
	}
	if i == 0 || len(target) < i+3 || target[i] != ':' || target[i+1] != '/' || target[i+2] != '/' {
		return nil, target, nil, nil
	}
	scheme, authority = target[:i:i], target[i+3:]
	if j := indexEither(authority, 0, '/', '?'); j < len(authority) {
		authority, path = authority[:j:j], authority[j:]
	}
	if path, query = CutQuery(path); len(path) == 0 {
		path = target[i+1 : i+2 : i+2] // "/": the first slash of "://"
	}
	return scheme, authority, path, query
}

// isScheme reports whether c may stand in a URI's scheme (RFC 3986 §3.1).
func isScheme(c byte, first bool) bool {
	if l := c | 0x20; 'a' <= l && l <= 'z' {
		return true
	}
	return !first && (c-'0' <= 9 || c == '+' || c == '-' || c == '.')
}

// QueryPairs iterates over the name=value pairs of a query, separated by "&", in order.
// A pair without "=" has a nil value; empty pairs are skipped. Names and values are
// views into query and still encoded (see AppendFormUnescaped). It does not allocate.
func QueryPairs(query []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for start := 0; start < len(query); {
			end := indexEither(query, start, '&', '=')
			name, value := query[start:end:end], []byte(nil)
			if end < len(query) && query[end] == '=' {
				from := end + 1
				end = indexEither(query, from, '&', '&')
				value = query[from:end:end]
			}
			start = end + 1
			if (len(name) > 0 || value != nil) && !yield(name, value) {
				return
			}
		}
	}
}

// AppendUnescaped appends b to dst with each "%" and two hex digits replaced by the
// byte they stand for (RFC 3986 §2.1). The result may hold any byte, NUL, CR and LF
// included. The error is an *Error with the offset in b of a "%" without two hex digits
// after it; dst is then returned as it was. It allocates only to grow dst, and on error.
// If IndexEscape(b) is -1, b need not be decoded at all. dst may be b[:0].
func AppendUnescaped(dst, b []byte) ([]byte, error) { return appendUnescaped(dst, b, '%') }

// AppendFormUnescaped is AppendUnescaped for the names and values of a query: "+"
// stands for SP (WHATWG URL, application/x-www-form-urlencoded).
func AppendFormUnescaped(dst, b []byte) ([]byte, error) { return appendUnescaped(dst, b, '+') }

func appendUnescaped(dst, b []byte, plus byte) ([]byte, error) {
	n := len(dst)
	for i := 0; ; {
		k := indexEither(b, i, '%', plus)
		dst = append(dst, b[i:k]...)
		switch {
		case k == len(b):
			return dst, nil
		case b[k] == '+' && plus == '+':
			dst = append(dst, ' ')
			i = k + 1
			continue
		case k+2 >= len(b) || class[b[k+1]]&class[b[k+2]]&classHex == 0:
			return dst[:n], &Error{ReasonEscape, k}
		}
		dst = append(dst, unhex(b[k+1])<<4|unhex(b[k+2]))
		i = k + 3
	}
}

// IndexEscape returns the index of the first "%" or "+" of b, -1 when there is none and
// decoding b would change nothing. It does not allocate.
func IndexEscape(b []byte) int {
	if i := indexEither(b, 0, '%', '+'); i < len(b) {
		return i
	}
	return -1
}

// indexEither returns the index of the first x or y of b from i on, len(b) when there is
// none. As in indexColon, the first one found is exact. The kernel is called only beyond the
// first 64 bytes: most searches end before.
func indexEither(b []byte, i int, x, y byte) int {
	xs, ys, near := uint64(x)*each, uint64(y)*each, i+64
	for ; i+8 <= len(b); i += 8 {
		if i == near && len(b)-i >= 64 {
			if i += skipEither(b[i:], x, y); i+8 > len(b) {
				break
			}
		}
		w := load64(b, i)
		u, v := w^xs, w^ys
		if u = ((u-each)&^u | (v-each)&^v) & high; u != 0 {
			return i + bits.TrailingZeros64(u)>>3
		}
	}
	for i < len(b) && b[i] != x && b[i] != y {
		i++
	}
	return i
}
