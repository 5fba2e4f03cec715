package bytesparse

import "math/bits"

// Hosts decide where a request is routed, so their grammar is checked completely: over
// a name with unusual bytes, or an address that only looks like one, two parties may
// disagree.

// ValidHost reports whether b is valid as the value of a Host field or the authority
// of a target: uri-host [ ":" port ] (RFC 9110 §7.2, RFC 3986 §3.2.2). The host
// is a registered name, an IPv4 address, or an IPv6 address or later literal in
// brackets, without zone; it may be empty. User information is refused, and so
// is a percent sign without two hex digits after it. The port is empty or a
// number up to 65535. It does not allocate.
func ValidHost(b []byte) bool {
	// Usual hosts, of letters, digits, hyphens and dots, and eight bytes or more with
	// the port, are checked a word at a time, without a branch for each byte.
	n := len(b)
	if n < 8 {
		return validHost(b)
	}
	first, last := load64(b, 0), load64(b, n-8)
	good := hostWord(first)
	x := last ^ colons
	if x = ^(x&low7 + low7 | x) & high; x != 0 {
		// The bytes after the last colon, with zeros in place of those before it: with
		// the most significant digit first, numbers compare as words do.
		end := uint(bits.Len64(x))
		before := uint64(2)<<((end-1)&63) - 1
		port := (last ^ zeros) &^ before
		if (port|(port+0x76*each))&high != 0 || bits.ReverseBytes64(port) > maxPort {
			return validHost(b)
		}
		if n += int(end>>3) - 9; n < 8 {
			return (good|^(1<<(n&7*8)-1))&high == high || validHost(b)
		}
		last = load64(b, n-8)
	}
	good &= hostWord(last)
	for i := 8; i+8 < n; i += 8 {
		good &= hostWord(load64(b, i))
	}
	return good&high == high || validHost(b)
}

// knownHost is a host found valid by ValidHost. A connection sends the same one in each of
// its requests, and so do most connections of a server. Only hosts of 8 to 32 bytes are
// remembered, as the words at their start and end.
type knownHost struct {
	len   int       // 0: none
	words [4]uint64 // the first and the last; beyond 16 bytes also the second and the last but one
}

// ValidHost reports whether there is exactly one Host field and the function ValidHost
// accepts its value. It remembers such a value for KnownHost. b must be the buffer the head
// was parsed from or a copy of it. It does not allocate.
func (h *Head) ValidHost(b []byte) bool {
	if h.seen&^h.dup>>FieldHost&1 == 0 {
		return false
	}
	return h.host.learn(h.Fields[h.Find(FieldHost)].ValueOf(b))
}

// KnownHost is a fast test: it reports whether there is exactly one Host field and its value is
// the last one that ValidHost, the method, accepted. When it reports false, call ValidHost.
func (h *Head) KnownHost(b []byte) bool {
	i := int(h.first[FieldHost]) // as Find
	if i >= len(h.Fields) || h.Fields[i].ID != FieldHost || h.Dup(FieldHost) {
		return false
	}
	f, k := &h.Fields[i], &h.host
	at, n := int(f.ValueOff), int(f.ValueLen)
	if n != k.len || n < 8 || at+n > len(b) {
		return false
	}
	d := (load64(b, at) ^ k.words[0]) | (load64(b, at+n-8) ^ k.words[1])
	if n > 16 {
		d |= (load64(b, at+8) ^ k.words[2]) | (load64(b, at+n-16) ^ k.words[3])
	}
	return d == 0
}

// learn reports whether v is valid, and remembers it if it is.
func (k *knownHost) learn(v []byte) bool {
	if !ValidHost(v) {
		return false
	}
	n := len(v)
	if k.len = 0; n < 8 || n > 32 {
		return true
	}
	k.len, k.words[0], k.words[1] = n, load64(v, 0), load64(v, n-8)
	if n > 16 {
		k.words[2], k.words[3] = load64(v, 8), load64(v, n-16)
	}
	return true
}

const (
	zeros   = '0' * each
	maxPort = 0x0605050305 // 65535, one digit per byte
)

// hostWord returns x with the high bit set in each byte that is an ASCII
// letter, a digit, a hyphen or a dot; the other bits are undefined.
func hostWord(x uint64) uint64 {
	a := x & low7
	l := a | fold
	letter := (l + (0x80-'a')*each) &^ (l + (0x80-'z'-1)*each)
	other := (a + (0x80-'-')*each) &^ (a + (0x80-'9'-1)*each) & ((a ^ '/'*each) + low7)
	return (letter | other) &^ x
}

// validHost is ValidHost, byte by byte.
func validHost(b []byte) bool {
	i := 0
	if len(b) > 0 && b[0] == '[' {
		for i < len(b) && b[i] != ']' {
			i++
		}
		if i == len(b) || !validIPLiteral(b[1:i]) {
			return false
		}
		i++
	} else {
		for _, c := range b {
			if class[c]&classHost == 0 {
				break
			}
			if c == '%' && (i+2 >= len(b) || class[b[i+1]]&class[b[i+2]]&classHex == 0) {
				return false
			}
			i++
		}
	}
	return i == len(b) || b[i] == ':' && validPort(b[i+1:])
}

func validPort(b []byte) bool {
	port := 0
	for _, c := range b {
		if port = port*10 + int(c-'0'); c-'0' > 9 || port > 65535 {
			return false
		}
	}
	return true
}

// validIPLiteral reports whether b is valid between brackets: IPv6address or
// IPvFuture, which is "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ).
func validIPLiteral(b []byte) bool {
	if len(b) == 0 || b[0]|0x20 != 'v' {
		return validIPv6(b)
	}
	i := 1
	for i < len(b) && class[b[i]]&classHex != 0 {
		i++
	}
	return i > 1 && i+1 < len(b) && b[i] == '.' && indexNot(b[i+1:], classIPLit) < 0
}

// validIPv6 reports whether b is groups of one to four hex digits separated by colons:
// eight, or fewer with one "::" for the rest. An IPv4 address may take the place of the
// last two.
func validIPv6(b []byte) bool {
	groups, gap := 0, false
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap, b = true, b[2:]
	}
	for len(b) > 0 {
		n := 0
		for n < len(b) && class[b[n]]&classHex != 0 {
			n++
		}
		if n < len(b) && b[n] == '.' {
			return validIPv4(b) && (groups == 6 && !gap || groups <= 5 && gap)
		}
		if n == 0 || n > 4 {
			return false
		}
		groups++
		if b = b[n:]; len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return false
		}
		if b = b[1:]; b[0] == ':' {
			if gap {
				return false
			}
			gap, b = true, b[1:]
		}
	}
	return groups == 8 && !gap || groups <= 7 && gap
}

// validIPv4 reports whether b is four numbers up to 255, without leading zeros,
// separated by dots.
func validIPv4(b []byte) bool {
	for k := range 4 {
		n, v := 0, 0
		for n < len(b) && n < 3 && class[b[n]]&classDigit != 0 {
			v = v*10 + int(b[n]-'0')
			n++
		}
		if n == 0 || n > 1 && b[0] == '0' || v > 255 {
			return false
		}
		if b = b[n:]; k < 3 {
			if len(b) == 0 || b[0] != '.' {
				return false
			}
			b = b[1:]
		}
	}
	return len(b) == 0
}
