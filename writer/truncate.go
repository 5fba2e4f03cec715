package writer

// What is taken back: the lines that were added last.

// Truncate removes every line but the first n.
func (h *Headers) Truncate(n int) {
	if n >= len(h.lines) {
		return
	}
	h.forget()
	h.arena, h.lines, h.seen = h.arena[:h.lines[n].off], h.lines[:n], 0
	for _, l := range h.lines {
		h.seen |= 1 << (l.id & 63)
	}
}
