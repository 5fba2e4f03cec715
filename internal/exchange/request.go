// The message going out when it is a request: it may be sent more than once, and be answered before
// it is complete.

package exchange

import (
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// Left reports whether any of the message has been handed to the kernel.
func (out *Outgoing) Left() bool { return out.left }

// Declare says how many bytes the body is going to have, unless the application has said so itself
// or has chosen chunks.
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
			continue // perhaps one TLS record has gone, and there is room for more
		}
		s.Alert(true)
		if out.Interrupt() {
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

// later is what is left to be sent of a message that is otherwise complete.
type later struct {
	body  []byte // a body, to be given to End
	a, b  []byte // bytes, to be sent one after the other
	ended bool   // it is the bytes; else the body
}

// Prepare plans the message and makes its head ready to be sent, unless that was done.
func (out *Outgoing) Prepare() error {
	if err := out.ready(); err != nil || out.headDone {
		return err
	}
	return out.head(h1.Unknown)
}

// TryEnd is End and Flush without waiting, for a message that is not sent in chunks. When all is
// false, Rest sends what the kernel has not taken; p must not change until then.
func (out *Outgoing) TryEnd(p []byte) (all bool, err error) {
	if err := out.plans(p); err != nil {
		return false, err
	}
	if !out.plan.Body {
		p = nil
	}
	if err := out.count(int64(len(p))); err != nil {
		return false, err
	}
	if out.ended = true; out.plan.Body && out.sent < out.plan.Length {
		out.Break(ErrTooShort)
		return false, ErrTooShort
	}
	a, b := out.buf, p
	for len(a)+len(b) > 0 {
		n, err := out.Stream.TryWriteThree(a, b, nil)
		if err != nil {
			out.fail(err)
			return false, err
		}
		if n == 0 {
			out.later = later{a: a, b: b, ended: true}
			return false, nil
		}
		out.left = true
		m := min(n, len(a))
		a, b = a[m:], b[n-m:]
	}
	out.emptied()
	return true, nil
}

// EndLater plans a message with the body p; Rest sends it, head and all. p must not change until
// then.
func (out *Outgoing) EndLater(p []byte) error {
	out.later = later{body: p}
	return out.plans(p)
}

// plans plans a message with the body p.
func (out *Outgoing) plans(p []byte) error {
	if err := out.ready(); err != nil || out.headDone {
		return err
	}
	return out.head(int64(len(p)))
}

// Rest sends what TryEnd or EndLater has left, waiting as Write does.
func (out *Outgoing) Rest() error {
	l := out.later
	out.later = later{}
	if !l.ended {
		if err := out.End(l.body); err != nil {
			return err
		}
		return out.Flush()
	}
	_, err := out.Stream.WriteThree(l.a, l.b, nil)
	out.emptied()
	out.fail(err)
	return err
}
