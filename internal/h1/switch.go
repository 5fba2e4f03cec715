// Switching protocols: whether a 101 gives what was asked for (RFC 9110 §7.8).

package h1

import "github.com/gale-http/gale/bytesparse"

// ErrUnasked: a 101 that the request did not ask for, or that does not say what it switches to.
var ErrUnasked error = newError(502, "101 for a protocol that was not asked for")

// CheckSwitch returns ErrUnasked unless the 101 of c with the head h in b is a valid answer to a
// request that asked for the protocols of which offered is true: it must have Connection: upgrade,
// and each protocol in its Upgrade fields must have been offered. "HTTP/1.1" may be named
// beside one, as the layer that stays (RFC 2817 §3.3).
func CheckSwitch(c *Conn, b []byte, h *bytesparse.Head, offered func(protocol []byte) bool) error {
	if !c.Upgrade() {
		return ErrUnasked
	}
	switched := false
	for i := h.Index(bytesparse.FieldUpgrade); i >= 0; i = h.NextIndex(bytesparse.FieldUpgrade, i) {
		for list := h.Fields[i].ValueOf(b); ; {
			protocol, rest, ok := bytesparse.NextToken(list)
			if !ok {
				break
			}
			list = rest
			switch {
			case offered(protocol):
				switched = true
			case !bytesparse.EqualFold(protocol, "HTTP/1.1"):
				return ErrUnasked
			}
		}
	}
	if !switched {
		return ErrUnasked
	}
	return nil
}
