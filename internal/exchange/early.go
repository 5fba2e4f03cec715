// Finished messages that wait in the buffer while the next is made: they may be sent
// without it (internal/loop, early.go), and whoever sends claims them first.

package exchange

// Early returns what is finished, to be shown to the loop while the next message is
// made. Until that is sent, the bytes stay as they are.
func (out *Outgoing) Early(sent bool) []byte {
	out.gather()
	if sent && out.early > 0 {
		out.claim()
	}
	out.early = len(out.buf)
	return out.buf
}

// claim, called where early is not 0, takes what Early has given away back, or, when it has been sent, out of the
// buffer.
func (out *Outgoing) claim() {
	n := out.early
	out.early = 0
	if !out.Stream.ClaimEarly() {
		out.buf = out.buf[:copy(out.buf, out.buf[n:])]
		out.mark -= n
	}
}
