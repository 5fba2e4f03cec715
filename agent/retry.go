// Retrying: whether a request that has failed is sent once more.

package agent

import (
	"errors"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/writer"
)

// shouldRetry reports whether a failed request is to be sent once more.
func (r *Response) shouldRetry(q *Request, err error) bool {
	return err == errRetired || r.repeatable(q, err) && (!r.taken || q.Source.Again != nil && r.readOver())
}

// repeatable reports whether it may be sent once more, provided that its body can be.
func (r *Response) repeatable(q *Request, err error) bool {
	policy := &r.run.agent.Retry
	if policy.Never || !r.reused || r.fresh || r.begun || r.ctx.Err() != nil || !stale(err) {
		return false
	}
	return policy.Always || !q.out.Left() && r.wrote == 0 || idempotent(q)
}

// readOver reports whether no Read of Source is in progress any more: it would take bytes from
// a body that starts again. It may wait a moment for that.
func (r *Response) readOver() bool {
	return r.reads == nil || r.reads.readDone.Wait(r.here(), drainWait) == nil
}

// stale reports whether err is what a socket returns after the server has closed it.
func stale(err error) bool {
	var protocol *h1.Error
	return !errors.Is(err, loop.ErrTimeout) && !errors.Is(err, loop.ErrClosed) && !errors.Is(err, loop.ErrOver) &&
		!errors.As(err, &protocol) && !errors.Is(err, ErrSource) && !errors.Is(err, errExited) && !errors.As(err, new(*PanicError)) &&
		!misuse(err)
}

// misuse reports whether err is a mistake of the application, not a failure of the server.
func misuse(err error) bool {
	return errors.Is(err, ErrTooLong) || errors.Is(err, ErrTooShort) || errors.Is(err, ErrBadLength) ||
		errors.Is(err, ErrTrailer) || errors.Is(err, ErrHeadSent) || errors.Is(err, ErrEnded) || errors.As(err, new(*writer.FieldError))
}

// idempotent reports whether the request may be processed twice (RFC 9110 §9.2.2).
func idempotent(q *Request) bool {
	switch q.target.method {
	case bytesparse.MethodGet, bytesparse.MethodHead, bytesparse.MethodOptions, bytesparse.MethodTrace,
		bytesparse.MethodPut, bytesparse.MethodDelete:
		return true
	}
	return q.out.Headers.Get("Idempotency-Key") != nil || q.out.Headers.Get("X-Idempotency-Key") != nil
}
