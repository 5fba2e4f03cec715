// Where a request goes: the four forms of a target (RFC 9112 §3.2), which of
// them suits which method, and the host they name.

package h1

import (
	"strings"

	"github.com/gale-http/gale/bytesparse"
)

// checkTarget judges the form of the target against the method. The parser has already checked
// which bytes are in it.
func checkTarget(b []byte, h *bytesparse.Head) error {
	target := h.Target.Of(b)
	if h.Method == bytesparse.MethodConnect {
		if !ValidTunnel(target) {
			return errTargetForm
		}
		return nil
	}
	if len(target) > 0 && target[0] == '/' {
		return nil
	}
	if len(target) == 1 && target[0] == '*' {
		if h.Method == bytesparse.MethodOptions {
			return nil
		}
		return errTargetForm
	}
	authority, ok := absoluteAuthority(target)
	switch {
	case !ok:
		return errTargetForm
	case !validAuthority(authority):
		return errAuthority
	}
	return nil
}

// absoluteAuthority returns the authority of a target in absolute-form,
// scheme "://" authority. Without the "//" a URI names no server, and cannot be
// told from authority-form ("a:80"), which is CONNECT's alone.
func absoluteAuthority(target []byte) (authority []byte, ok bool) {
	scheme, authority, _, _ := bytesparse.CutTarget(target)
	return authority, scheme != nil
}

// validAuthority reports whether an absolute target names a server: an http URI
// with an empty host is invalid (RFC 9110 §4.2.1), and so is one with user
// information from a source that is not trusted (§4.2.4).
func validAuthority(a []byte) bool {
	return len(a) > 0 && a[0] != ':' && bytesparse.ValidHost(a)
}

// ValidTunnel reports whether a is host ":" port, neither empty (RFC 9112
// §3.2.3; RFC 9110 §9.3.6 wants an invalid port refused).
func ValidTunnel(a []byte) bool {
	if !validAuthority(a) {
		return false
	}
	i := len(a)
	for i > 0 && '0' <= a[i-1] && a[i-1] <= '9' {
		i--
	}
	if i == 0 || a[i-1] != ':' {
		return false
	}
	port, ok := bytesparse.ParseUint(a[i:])
	return ok && port > 0
}

// EscapeTarget returns s, which is to be a request target, with the bytes that no target can have
// percent-encoded (RFC 3986 §2.1). A "%" stays as it is, and so does a text with control bytes.
func EscapeTarget(s string) string {
	if bytesparse.IsTarget(s) || bytesparse.IndexControl(s) >= 0 || strings.IndexByte(s, '\t') >= 0 {
		return s
	}
	const digits = "0123456789ABCDEF"
	dst := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		if c := s[i]; bytesparse.IsTarget(s[i : i+1]) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(dst)
}

// checkHost judges the Host fields (RFC 9112 §3.2): in HTTP/1.1 exactly one,
// in HTTP/1.0 at most one, and valid even where the target overrides it.
func checkHost(b []byte, h *bytesparse.Head) error {
	i := h.Index(bytesparse.FieldHost)
	switch {
	case i < 0 && h.Minor == 0:
		return nil
	case i < 0:
		return errNoHost
	case h.Dup(bytesparse.FieldHost):
		return errHosts
	case !h.ValidHost(b):
		return errHost
	}
	return nil
}

// Authority returns the host and port that the request in b is for: that of
// an absolute or authority-form target, which overrides Host (RFC 9112 §3.2.2),
// else the value of Host; nil when there is none, empty when that is what Host
// says. A view into b.
func Authority(b []byte, h *bytesparse.Head) []byte {
	target := h.Target.Of(b)
	if h.Method == bytesparse.MethodConnect {
		return target
	}
	if len(target) > 0 && target[0] != '/' {
		if authority, ok := absoluteAuthority(target); ok {
			return authority
		}
	}
	return h.Value(b, bytesparse.FieldHost)
}

// targetTooLong reports whether it is because of its target that a head does not end within window:
// the answer is then 414 and not 431 (RFC 9112 §3).
func targetTooLong(window []byte, lim *Limits) bool {
	start := 0
	for i, c := range window {
		switch {
		case c == '\r' || c == '\n':
			return false // no request line at all
		case c == ' ' && start > 0:
			return overTarget(i-start, lim)
		case c == ' ':
			start = i + 1
		}
	}
	return start > 0
}

func overTarget(n int, lim *Limits) bool {
	limit := DefaultTargetBytes
	if lim != nil {
		limit = orDefault(lim.Parse.Target, DefaultTargetBytes)
	}
	return n > limit
}
