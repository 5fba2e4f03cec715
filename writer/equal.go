//go:build purego || !(amd64 || arm64)

package writer

// The counterpart of unsafe.go where words cannot, or must not, be loaded in that way.

// follows reports false: addresses are not compared here.
func (h *Headers) follows(string, string) bool { return false }

// again takes the next line of the previous message back into use if it has the same name
// and value, and reports whether it did. Most responses of a server have the same fields
// in the same order.
func (h *Headers) again(name, value string) bool {
	k := h.n
	if k >= len(h.lines) {
		return false
	}
	l := &h.lines[k]
	if !l.only || string(l.nameIn(h.arena)) != name || string(l.valueIn(h.arena)) != value {
		return false
	}
	h.n++
	return true
}
