//go:build purego || !(amd64 || arm64)

package writer

// The comparison of unsafe.go where words cannot be loaded so, or must not.

// follows reports that nothing is known of addresses.
func (h *Headers) follows(string, string) bool { return false }

// again takes the next line of the last message back into use if it says the same,
// and reports whether it did. Most answers of a server have the same fields in the
// same order.
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
