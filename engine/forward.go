// Forwarding a response from upstream.

package engine

import (
	"errors"
	"io"
	"iter"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/writer"
)

// Answer is a response that was received and may be forwarded: an *agent.Response.
type Answer interface {
	Received() *exchange.Incoming           // as gale's own packages see it
	StatusCode() int                        // 100 to 999
	RawTrailers() iter.Seq2[[]byte, []byte] // the trailer fields that followed the body
	io.Reader
	io.WriterTo
}

// Forward answers with a response received from elsewhere, as an intermediary does (RFC 9110 §7.6):
// with its status and reason phrase, its end-to-end fields in addition to those already set, its
// body as it arrives, and its trailers. A field that a message has only once, such as Content-Type,
// keeps the value that was set. Adding Via, where wanted, is up to the caller (RFC 9110 §7.6.3). On
// an error, part of the response may have been sent: panic(ErrAbort) keeps the client from taking
// that for all of it. Forward allocates only for trailers and non-standard reason phrases.
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
	if r.plain && !in.Head.Has(bytesparse.FieldTrailer) { // with Trailer, End would make chunks of it
		if body, whole = in.TakeWhole(); whole {
			drop = 1 << bytesparse.FieldContentLength // End sets it
		}
	}
	if err := in.EndToEnd(&r.out.Headers, drop); err != nil {
		return err
	}
	if whole {
		return r.End(body)
	}
	if in.Unread() == 0 && !in.Done() { // the client may need the head before more comes
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

// forwardTrailers forwards those trailers that are allowed as such.
func (r *Response) forwardTrailers(a Answer) error {
	for name, value := range a.RawTrailers() {
		if err := r.AddTrailers(string(name), string(value)); err != nil && !errors.Is(err, ErrTrailer) {
			return err
		}
	}
	return nil
}
