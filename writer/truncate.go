package writer

// What is taken back: the lines that were added last.

// Truncate removes every line but the first n.
func (h *Headers) Truncate(n int) {
	if n < h.n {
		h.n = n
		h.forget()
	}
}
