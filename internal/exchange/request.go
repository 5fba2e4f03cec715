// What a message going out is besides, when it is a request: it may be sent more than
// once, and be answered before it is complete.

package exchange

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// Left tells whether any of the message has been handed to the kernel.
func (out *Outgoing) Left() bool { return out.left }

// Declare says how many bytes the body is going to have, unless the application has
// said so, or chose chunks, itself.
func (out *Outgoing) Declare(n int64) error {
	if out.Headers.HasAny(1<<bytesparse.FieldContentLength | 1<<bytesparse.FieldTransferEncoding) {
		return nil
	}
	return out.head(n)
}

// Again makes out ready to send the same fields once more, on another stream.
func (out *Outgoing) Again() {
	out.buf = out.buf[:0]
	out.sent, out.mark = 0, 0
	out.headDone, out.left, out.ended = false, false, false
	out.plan = h1.Plan{}
}

// push sends all of p unless it is interrupted.
func (out *Outgoing) push(p []byte) error {
	s := out.Stream
	for len(p) > 0 {
		n, err := s.TryWrite(p)
		if p = p[n:]; n > 0 {
			out.left = true
		}
		switch {
		case err != nil:
			return err
		case len(p) == 0:
			return nil
		case n > 0:
			continue // a record of TLS, perhaps, and there is room for more
		}
		s.Alert(true)
		if s.Ready() && out.Interrupt() {
			err = ErrInterrupted
		} else {
			err = s.WaitOutput()
		}
		s.Alert(false)
		if err != nil {
			return err
		}
	}
	return nil
}
