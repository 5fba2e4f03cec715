//go:build purego || !(amd64 || arm64)

package writer

// The comparison of unsafe.go where words cannot be loaded so, or must not.

// again takes the next line of the last message back into use if it says the same,
// and reports whether it did. Most answers of a server have the same fields in the
// same order: then nothing is looked up, judged or copied.
func (h *Headers) again(name, value string) bool {
	k, at := len(h.lines), len(h.arena)
	if k >= h.before {
		return false
	}
	l := h.lines[:k+1][k]
	if int(l.name) != len(name) || int(l.end) != at+len(name)+len(value)+lineExtra || !l.only {
		return false
	}
	if line := h.arena[at:l.end]; string(line[:l.name]) != name || string(line[l.name+2:len(line)-2]) != value {
		return false
	}
	h.seen |= 1 << (l.id & 63)
	h.arena = h.arena[:l.end]
	h.lines = h.lines[:k+1]
	return true
}
