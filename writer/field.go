package writer

// Plain appends of single fields and numbers, for callers that know their bytes to
// be valid. Untrusted names and values go through Headers.

import "math/bits"

// AppendField appends a field line, "name: value" and CRLF (RFC 9112 §5).
// name must be a token and value free of control bytes other than HTAB.
func AppendField(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendUint appends n in decimal, without leading zeros.
func AppendUint(dst []byte, n uint64) []byte {
	var digits [20]byte // of 1<<64-1
	i := len(digits) - 1
	for ; n >= 10; i-- {
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	digits[i] = byte('0' + n)
	return append(dst, digits[i:]...)
}

// AppendHex appends n in lower-case hexadecimal, without prefix or leading
// zeros.
func AppendHex(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	shift := max(bits.Len64(n)-1, 0) &^ 3
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}
