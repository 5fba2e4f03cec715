// Passing an answer on.

package engine

import (
	"errors"
	"io"
	"iter"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/writer"
)

// Answer is an answer that was received and may be passed on: an *agent.Response.
type Answer interface {
	Received() *exchange.Incoming           // as gale's own packages see it
	StatusCode() int                        // 100 to 999
	RawTrailers() iter.Seq2[[]byte, []byte] // those that have followed the body
	io.Reader
	io.WriterTo
}

// Forward answers with what somebody else has answered, as an intermediary does (RFC 9110
// §7.6): with its status and reason phrase, its end-to-end fields beside those that were set,
// its body, as it comes, and its trailers. A field that a message has once, such as
// Content-Type, stays as it was set. Via, where it is wanted, is the caller's to add (RFC
// 9110 §7.6.3). On an error part of it may have been sent:
// panic(ErrAbort) keeps the client from taking that for all. It allocates only for trailers
// and unusual reason phrases.
func (r *Response) Forward(a Answer) error {
	r.x.check("Forward")
	in := a.Received()
	if err := r.SetStatus(a.StatusCode()); err != nil {
		return err
	}
	if reason := in.Head.Reason.Of(in.HeadBytes()); string(reason) != writer.StatusText(r.status) {
		if err := r.SetStatusMessage(string(reason)); err != nil {
			return err
		}
	}
	drop := uint64(0)
	body, whole := []byte(nil), false
	if r.plain {
		if body, whole = in.TakeWhole(); whole {
			drop = 1 << bytesparse.FieldContentLength // End says it
		}
	}
	if err := in.EndToEnd(&r.out.Headers, drop); err != nil {
		return err
	}
	if whole {
		return r.End(body)
	}
	if in.Unread() == 0 && !in.Done() { // the client may have to have the head before there is more
		if err := r.Flush(); err != nil {
			return err
		}
	}
	if _, err := a.WriteTo(r); err != nil {
		return err
	}
	if in.HasTrailers() {
		if err := r.forwardTrailers(a); err != nil {
			return err
		}
	}
	return r.End(nil)
}

// forwardTrailers passes on the trailers that may be.
func (r *Response) forwardTrailers(a Answer) error {
	for name, value := range a.RawTrailers() {
		if err := r.AddTrailers(string(name), string(value)); err != nil && !errors.Is(err, ErrTrailer) {
			return err
		}
	}
	return nil
}
