package writer

// Removing the lines added last.

// Truncate removes all lines except the first n.
func (h *Headers) Truncate(n int) {
	if n < h.n {
		h.n = n
		h.forget()
	}
}
