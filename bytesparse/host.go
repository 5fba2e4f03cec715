package bytesparse

// ValidHost tells whether b may be the value of a Host field or the authority
// of a target: uri-host [ ":" port ] (RFC 9110 §7.2). The host is a registered
// name, an IPv4 address or a bracketed IP literal, and may be empty; user
// information is refused, and so is a percent sign without two hex digits. The
// port is empty or a number up to 65535. It does not allocate.
func ValidHost(b []byte) bool {
	i := 0
	if len(b) > 0 && b[0] == '[' {
		for i = 1; i < len(b) && class[b[i]]&classIPLit != 0; i++ {
		}
		if i < 3 || i == len(b) || b[i] != ']' {
			return false
		}
		i++
	} else {
		for ; i < len(b) && class[b[i]]&classHost != 0; i++ {
			if b[i] == '%' && (i+2 >= len(b) || class[b[i+1]]&class[b[i+2]]&classHex == 0) {
				return false
			}
		}
	}
	return i == len(b) || b[i] == ':' && validPort(b[i+1:])
}

func validPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	n, ok := ParseUint(b)
	return ok && n <= 65535
}
