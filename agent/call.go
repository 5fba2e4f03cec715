// A call: one request, from start to response. It acquires a socket, sends, and waits for
// the head of the response; if the socket turns out to have been dead, it tries again on a
// fresh one, where that is safe.

package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// call is the state of a request under way. It is part of its Response.
type call struct {
	run     *running
	origin  *origin
	ctx     context.Context
	worker  *loop.Worker // the calling worker; nil for an ordinary goroutine
	follows bool         // ctx is the handler's own: nothing needs to be registered
	seat    *loop.Seat   // whose own context ctx is, on whatever goroutine; else nil
	trace   *Trace
	conn    *conn                   // nil when there is none yet, or no longer
	stop    func() bool             // ends the watch on a foreign context
	over    context.CancelCauseFunc // ends the context of a ClientRequest
	reused  bool                    // an earlier request used the socket
	fresh   bool                    // only a fresh socket will do
	turn    *waiter                 // queued for the call already; nil: none
	taken   bool                    // Source has been read from
	sent    bool                    // the request has been sent to its end
	begun   bool                    // bytes of a response have arrived
	unread  bool                    // the response was closed before all of it was read
	wrote   int                     // how much of the request fastCall has sent
	sender  *sender                 // sends the body while the response is read; nil: none
	unsent  error                   // why a sender ended before all was sent
	reads   *sender                 // the last one that read from Source
}

// Do makes a request and waits for the head of the response, whose body is then read from
// res. With a nil res the response is read and dropped. When a handler of package engine
// calls Do with its own context, or one derived from it, the socket is on the handler's own
// loop and waiting suspends the handler; any other goroutine parks.
//
// When ctx ends, Do returns at once with its error, and so do later reads of the body; the
// socket is closed. When Do returns, req is the caller's again, except for a body still
// being sent (see below). res must be read to its end or closed; another Do with the same
// res also closes it. Errors are of type *Error.
//
// A body above 8 KiB, or from a Source that may have to wait, is sent while the response is
// waited for and read, so that both can stream. Do then returns when the head of the
// response has been received, and req, its Body and its Source are in use until the response
// has been read to its end or closed. Another goroutine reads Source. A Read of it in
// progress at the end of the call is not waited for: it may return later, and its result is
// dropped. A response with a status of 300 or above ends the sending, and so does closing
// the response.
//
// Do does not allocate on a kept socket if req and res have been used before, the body has
// at most 8 KiB, and the context cannot end, is the handler's own, or is that of the
// last two calls on the socket.
func (a *Agent) Do(ctx context.Context, req *Request, res *Response) error {
	if res == nil {
		return a.drop(ctx, req)
	}
	r := a.state()
	res.reset()
	if req.sends != nil { // for a response that was not closed
		req.sends.stopSending(false)
	}
	o, err := r.resolve(req)
	if err != nil {
		return err
	}
	res.call = call{run: r, origin: o, ctx: ctx}
	res.call.worker, res.call.follows, res.call.seat = loop.Seated(ctx)
	return res.do(req)
}

// drop is Do without a Response.
func (a *Agent) drop(ctx context.Context, req *Request) error {
	var res Response
	if err := a.Do(ctx, req, &res); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, &res)
	return errors.Join(err, res.Close())
}

// do sends the request until there is a response or it fails for good.
func (r *Response) do(q *Request) error {
	var done bool
	var err error
	if r.follows && q.plain() {
		if done, err = r.fastCall(q); done && err == nil {
			return nil
		}
	}
	return r.slowCall(q, done, err)
}

// slowCall makes the calls that fastCall does not, and completes those that it does not. If done,
// fastCall has sent the request, and returned err, which may be errNeedsEvent.
func (r *Response) slowCall(q *Request, done bool, err error) error {
	returned := false
	defer func() {
		if !returned {
			r.unwind()
		}
	}()
	if err == errNeedsEvent {
		err = r.resumeAfterEvent(q)
	}
	if !done || err != nil {
		err = r.retryLoop(q, done, err)
	}
	returned = true
	return err
}

// unwind gives up the socket when user code called by the call does not return.
func (r *Response) unwind() {
	w := r.worker
	r.worker = nil // a goroutine that is exiting must not suspend
	r.stopSending(false)
	r.worker = w
	r.finish(false)
}

// retryLoop attempts the call as often as necessary; if done, one attempt has failed with err.
func (r *Response) retryLoop(q *Request, done bool, err error) error {
	q.prepare()
	r.trace = q.On.Trace
	for trailers := q.out.Trailers.Len(); ; done = false {
		if !done {
			if err = r.acquire(); err == nil {
				if done, err = true, r.exchange(q); r.sender == nil {
					q.out.Trailers.Truncate(trailers) // later ones came with the body
				}
			}
		}
		if err == nil {
			return nil
		}
		once := r.shouldRetry(q, err)
		if !once && r.taken && q.Source.Again == nil && r.repeatable(q, err) {
			err = fmt.Errorf("%w: %w", err, ErrBodyUsed)
		}
		if done {
			if once {
				r.rejoin(r.conn, true)
			}
			r.finish(false)
		}
		if !once {
			return r.fail(err)
		}
		r.fresh = true
		q.out.Again()
		if r.call.origin.retired() {
			if r.call.origin, err = r.run.resolve(q); err != nil {
				return err
			}
		}
	}
}

// fail returns the error of the call for err.
func (r *Response) fail(err error) error {
	op := "receive"
	switch {
	case r.conn == nil && !r.sent && !r.begun && errors.As(err, new(*Error)):
		return err
	case !r.sent:
		op = "send"
	}
	return r.wrap(op, err)
}

// wrap adds the operation and the origin to err. If the context has ended, its error takes
// precedence over the errors that it caused.
func (r *Response) wrap(op string, err error) error {
	if e := r.ctx.Err(); e != nil && (errors.Is(err, loop.ErrTimeout) || errors.Is(err, loop.ErrOver) || errors.Is(err, loop.ErrClosed) || errors.Is(err, ErrSource)) {
		if err = e; context.Cause(r.ctx) == ErrAborted {
			err = ErrAborted
		}
	} else if errors.Is(err, loop.ErrClosed) && r.run.destroyed.Load() {
		err = ErrDestroyed
	}
	return &Error{op, r.call.origin.name, err}
}

// sourceError is an error of Source.
type sourceError struct{ err error }

func (e *sourceError) Error() string        { return ErrSource.Error() + ": " + e.err.Error() }
func (e *sourceError) Unwrap() error        { return e.err }
func (e *sourceError) Is(target error) bool { return target == ErrSource }

// exchange sends the request on the call's socket, or begins to, and waits for the head
// of the response.
func (r *Response) exchange(q *Request) error {
	r.attach(q)
	err := r.send(q)
	if err != exchange.ErrInterrupted && r.sender == nil {
		r.trace.wroteRequest(err)
	}
	switch {
	case err == nil:
		r.sent = r.sender == nil
	case err == exchange.ErrInterrupted:
	case !mayRespond(err):
		return err
	default:
		// A server that refuses a body may have responded before it closed the connection.
		if r.receive(q) != nil {
			return err
		}
		return nil
	}
	if err = r.receive(q); err != nil {
		return r.causeOf(err)
	}
	return nil
}

// attach connects request and response to the call's socket.
func (r *Response) attach(q *Request) {
	c, t := r.conn, &r.run.times
	c.ReadTimeout, c.WriteTimeout = t.response, t.write
	q.out.Attach(&c.Stream)
	q.out.Interrupt = nil
	r.machine.Reset(h1.Client)
	r.machine.SetRequest(q.target.method)
	r.in.Limits = &r.run.limits
	r.in.Attach(&c.Stream, &r.machine, nil)
	r.sent, r.begun, r.early, r.broken, r.query = false, false, false, nil, q
	if q.On.Socket != nil {
		q.On.Socket(&Socket{c: c})
	}
}

// send sends the request: head and body together, or the head alone, and the body once the
// server asks for it (RFC 9110 §10.1.1). What may have to wait is sent concurrently.
func (r *Response) send(q *Request) error {
	out := &q.out
	from, err := r.source(q)
	if err != nil {
		return err
	}
	expects := out.Headers.Has(bytesparse.FieldExpect) && (from != nil || len(q.Body) > 0)
	switch {
	case from == nil && len(q.Body) <= smallBody && !expects:
		if err := out.End(q.Body); err != nil {
			return err
		}
		err := out.Flush()
		if err == nil {
			r.trace.wroteHead()
		}
		return err
	case expects && expectsContinue(out.Headers.Get("Expect")):
		if err := r.sendHead(q); err != nil {
			return err
		}
		r.trace.wroteHead()
		switch wanted, err := r.awaitContinue(q); {
		case err != nil:
			return err
		case !wanted:
			return exchange.ErrInterrupted
		}
	}
	if !out.HeadSent() {
		r.trace.wroteHead()
	}
	if from == nil {
		if !r.conn.Portable() && !out.Headers.HasAny(1<<bytesparse.FieldTransferEncoding|1<<bytesparse.FieldTrailer) {
			if all, err := out.TryEnd(q.Body); all || err != nil {
				return err
			}
		} else if err := out.EndLater(q.Body); err != nil {
			return err
		}
		r.sendConcurrently(q, nil)
		return nil
	}
	if atHand(from, q.Source.Length) {
		return r.sendSource(q, from)
	}
	if err := q.declare(); err != nil {
		return err
	}
	if n := q.Source.Length; n <= 0 || n > smallBody { // its first bytes may take a while
		if err := out.FlushHead(); err != nil {
			return err
		}
	} else if err := out.Prepare(); err != nil {
		return err
	}
	r.sendConcurrently(q, from)
	return nil
}

// atHand reports whether a small body can be read to its end without waiting.
func atHand(from io.Reader, length int64) bool {
	switch from := from.(type) {
	case *bytes.Reader:
		return from.Len() <= smallBody
	case *bytes.Buffer:
		return from.Len() <= smallBody
	case *strings.Reader:
		return from.Len() <= smallBody
	case Message:
		return 0 < length && length <= smallBody && length <= int64(from.Received().AtHand())
	}
	return false
}

// smallBody is the size of body that any kernel accepts at once: it is sent without checking
// for an early response.
const smallBody = 8 << 10

func expectsContinue(value []byte) bool {
	return strings.EqualFold(string(bytes.TrimSpace(value)), "100-continue")
}

// sendHead sends the head of a request whose body is to follow later.
func (r *Response) sendHead(q *Request) error {
	if err := q.declare(); err != nil {
		return err
	}
	return q.out.FlushHead()
}

// declare sets the length of the body, if it is known and no field says it.
func (q *Request) declare() error {
	n := int64(len(q.Body))
	if q.Source.Reader != nil {
		n = q.Source.Length
	}
	if n <= 0 || q.out.HeadSent() {
		return nil
	}
	return q.out.Declare(n)
}

// source returns the reader to read the body from, nil when the body is Body.
func (r *Response) source(q *Request) (io.Reader, error) {
	from := q.Source.Reader
	if from != nil && r.taken {
		again, err := q.Source.Again()
		if err != nil {
			return nil, &sourceError{err}
		}
		from = again
	}
	r.taken = r.taken || from != nil
	return from, nil
}

// sendSource sends the body from a Source that has all of it at hand.
func (r *Response) sendSource(q *Request, from io.Reader) error {
	if err := q.declare(); err != nil {
		return err
	}
	s := sender{request: q}
	for buf := r.in.Spare(); !q.out.Ended(); {
		n, err := from.Read(buf)
		if err = s.put(buf[:n], from, err); err != nil {
			return err
		}
	}
	return nil
}
