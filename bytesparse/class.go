package bytesparse

// Byte classes, in one table: a byte's entry has the bit of each class it belongs to.
// The table is the definition; the SWAR and vector scans are tested against it.

const (
	classToken  = 1 << iota // tchar, RFC 9110 §5.6.2
	classValue              // field-vchar, SP and HTAB, RFC 9110 §5.5; obs-text included
	classTarget             // unreserved, reserved without "#", and "%", RFC 3986 §2
	classDigit              // DIGIT
	classHex                // HEXDIG, either case
	classHost               // reg-name bytes: unreserved, sub-delims and "%", RFC 3986 §3.2.2
	classIPLit              // bytes inside the brackets of an IP-literal, RFC 3986 §3.2.2
	classQuoted             // qdtext, RFC 9110 §5.6.4
)

var class = func() (t [256]uint8) {
	set := func(bit uint8, chars string) {
		for i := range len(chars) {
			t[chars[i]] |= bit
		}
	}
	const (
		digit      = "0123456789"
		alpha      = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		unreserved = alpha + digit + "-._~"
		subDelims  = "!$&'()*+,;="
	)
	set(classToken, alpha+digit+"!#$%&'*+-.^_`|~")
	set(classTarget, unreserved+subDelims+":/?[]@%")
	set(classDigit, digit)
	set(classHex, digit+"abcdefABCDEF")
	set(classHost, unreserved+subDelims+"%")
	set(classIPLit, unreserved+subDelims+":")
	for c := range 256 {
		if c == '\t' || c >= 0x20 && c != 0x7f {
			t[c] |= classValue
			if c != '"' && c != '\\' {
				t[c] |= classQuoted
			}
		}
	}
	return t
}()

// isOWS reports whether c is optional white space: SP or HTAB (RFC 9110 §5.6.3).
func isOWS(c byte) bool { return c == ' ' || c == '\t' }

// all reports whether every byte of b is in the class.
func all[T string | []byte](b T, bit uint8) bool {
	i, in, class := 0, bit, &class
	for ; i+8 <= len(b); i += 8 {
		t := b[i : i+8]
		in &= class[t[0]] & class[t[1]] & class[t[2]] & class[t[3]] & class[t[4]] & class[t[5]] & class[t[6]] & class[t[7]]
	}
	for ; i < len(b); i++ {
		in &= class[b[i]]
	}
	return in != 0
}

// indexNot returns the index of the first byte of b that is not in the class, -1
// when there is none.
func indexNot[T string | []byte](b T, bit uint8) int {
	for i := range len(b) {
		if class[b[i]]&bit == 0 {
			return i
		}
	}
	return -1
}

// IsToken reports whether b is a token: one or more tchar (RFC 9110 §5.6.2). It
// does not allocate.
func IsToken[T string | []byte](b T) bool {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if !nameWord(word(b, i)) {
			break
		}
	}
	for ; i < len(b); i++ {
		if class[b[i]]&classToken == 0 {
			return false
		}
	}
	return i > 0
}

// IsFieldValue reports whether b may be sent as a field value (RFC 9110 §5.5): it has
// no control byte other than HTAB, and so no CR, LF or NUL. It may hold obs-text
// (0x80–0xff) and may be empty. It does not allocate.
func IsFieldValue[T string | []byte](b T) bool { return IndexControl(b) < 0 }

// IndexControl returns the index of the first byte of b that is not allowed in a field
// value (see IsFieldValue), -1 when there is none. It does not allocate.
func IndexControl[T string | []byte](b T) int {
	n := len(b)
	if n < 8 {
		if n < 4 || badV(half(b, 0)|half(b, n-4)<<32)&high != 0 {
			return indexNot(b, classValue)
		}
		return -1
	}
	found, i := badV(word(b, n-8)), 0
	if n >= 128 {
		i = skipLong(b)
	}
	for ; i < n-8; i += 8 {
		found |= badV(word(b, i))
	}
	if found&high != 0 { // HTAB is fine
		return indexNot(b, classValue)
	}
	return -1
}

// IsTarget reports whether b is not empty and has only bytes that are allowed in a
// request target: those of a URI without "#" (RFC 9112 §3.2, RFC 3986 §2). It checks
// neither the form nor the percent-escapes. It does not allocate.
func IsTarget[T string | []byte](b T) bool { return len(b) > 0 && targetBytes(b) }
