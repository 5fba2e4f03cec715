// Finished messages that stay in the buffer while the next one is made. A goroutine may send them
// before that (internal/loop, early.go), so whoever sends claims them first.

package exchange

// Early returns what is finished, to be shown to the loop while the next message is made. The bytes
// stay as they are until they are sent. sent says that what was shown before may have been
// claimed.
func (out *Outgoing) Early(sent bool) []byte {
	out.gather()
	if sent && out.early > 0 {
		out.claim()
	}
	out.early = len(out.buf)
	return out.buf
}

// claim takes back what Early has given away or, when that was sent, removes it from the buffer.
// early must not be 0.
func (out *Outgoing) claim() {
	n := out.early
	out.early = 0
	if !out.Stream.ClaimEarly() {
		out.buf = out.buf[:copy(out.buf, out.buf[n:])]
		out.mark -= n
	}
}
