// The Response: a message going out (seed: http.ServerResponse).

package engine

import (
	"errors"
	"io"
	"iter"
	"strconv"
	"sync"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/pool"
	"github.com/gale-http/gale/writer"
)

// Errors of a Response. A call that returns one of them has sent nothing. ErrTooLong and
// ErrTooShort also cut the connection, since the client could not tell where the response ends.
var (
	ErrHeadSent = exchange.ErrHeadSent // fields and status can be changed only until the head is sent
	ErrEnded    = exchange.ErrEnded    // the response is complete
	ErrTooLong  = exchange.ErrTooLong  // more body than the Content-Length that was set
	ErrTooShort = exchange.ErrTooShort // less body than the Content-Length that was set
	ErrTrailer  = exchange.ErrTrailer  // the field may not be a trailer
	ErrFull     = exchange.ErrFull     // TryWrite already keeps too much
)

// StatusError reports a status code, or a reason phrase, that cannot be sent.
type StatusError struct {
	Code   int    // the status code
	Reason string // the reason phrase, if that is at fault
}

// Error says what cannot be sent, and what can.
func (e *StatusError) Error() string {
	status := "gale: status " + strconv.Itoa(e.Code)
	switch {
	case e.Code < 100 || e.Code > 999:
		return status + " is not between 100 and 999"
	case e.Reason != "":
		return "gale: the reason phrase " + strconv.Quote(e.Reason) + " has bytes that no reason phrase may have"
	case e.Code < 200:
		return status + " is no answer: WriteInterim sends those below 200, but 101, which Upgrade and Hijack are for"
	}
	return status + " is no interim response: 100 and 102 to 199 are"
}

// Response is the answer to a request (seed: http.ServerResponse). Its head can be changed until it
// is sent, by the first Write, Flush or End. It belongs to the handler until that returns; it is
// then reused for another client's request, and a goroutine that still writes may write into that
// answer (see "What a handler may do" in the package documentation). Its methods are for one
// goroutine at a time, not necessarily the handler's. None allocates in the steady state, except
// those that say so.
type Response struct {
	x      *responder
	out    exchange.Outgoing
	status int
	reason string

	requestFacts
	expecting sync.Mutex // guards expect when the request expects a 100
}

// requestFacts is what planning a response needs to know of its request, as it was before anyone
// read its body: one goroutine may read the body while another sends the head.
type requestFacts struct {
	to      h1.ReplyTo
	hasBody bool
	expects bool
	plain   bool // neither the request nor a status that was set restricts the response, except that it may be the last
	expect  expectation
}

// usualRequest has the facts of a request of which h1.Conn reports Usual.
var usualRequest = requestFacts{to: h1.ReplyTo{Method: bytesparse.MethodGet, Minor: 1, KeepAlive: true, BodyDone: true}, plain: true}

// begin starts the response to a usual request.
func (r *Response) begin() {
	r.requestFacts = usualRequest
	r.reset()
}

func (r *Response) reset() {
	r.status = 200
	if r.reason != "" {
		r.reason = ""
	}
	r.out.Reset()
}

// beginFor starts the response to the request whose head was read from c.
func (r *Response) beginFor(c *conn, hasBody bool) {
	r.reset()
	r.requestFacts = requestFacts{hasBody: hasBody, expects: hasBody && c.in.ExpectContinue()}
	r.to = h1.ReplyTo{Method: c.in.Method(), Minor: c.in.Minor(), KeepAlive: c.in.KeepAlive(), BodyDone: !hasBody}
	to := r.to
	to.KeepAlive = true
	r.plain = to.Unrestricted()
}

func (r *Response) startLine(dst []byte) []byte {
	return writer.AppendStatusLine(dst, r.status, r.reason)
}

// plan decides how the response is framed and whether the connection goes on after it. It refuses a
// status of 1xx, which is not a final response.
func (r *Response) plan(reply *h1.Reply, plan *h1.Plan) error {
	if r.status < 200 {
		return &StatusError{Code: r.status}
	}
	server, to := r.x.server, r.to
	reply.Status = r.status
	to.KeepAlive = to.KeepAlive && !server.run.closing.Load()
	if to.BodyDone = !r.hasBody; r.hasBody {
		left := r.x.req.in.Left()
		to.BodyDone = left == 0 || !r.overrule() && left <= server.Limits.drain()
	}
	*plan = h1.PlanResponse(to, *reply)
	return nil
}

// SetStatus sets the status code, 100 to 999 (seed: response.statusCode); 200 if never called. A
// code below 200 cannot be sent as the answer: Write, Flush and End refuse it with a *StatusError.
// The error is a *StatusError, or ErrHeadSent once the head is sent.
func (r *Response) SetStatus(code int) error {
	r.x.check("SetStatus")
	switch {
	case code < 100 || code > 999:
		return &StatusError{Code: code}
	case r.out.HeadSent():
		return ErrHeadSent
	}
	r.status, r.plain = code, r.plain && code == 200
	return nil
}

// Status returns the status code that will be, or was, sent (seed:
// response.statusCode).
func (r *Response) Status() int {
	r.x.check("Status")
	return r.status
}

// SetStatusMessage sets the reason phrase; empty stands for the standard one (seed:
// response.statusMessage). A control byte in it is a *StatusError; once the head is sent, the error
// is ErrHeadSent.
func (r *Response) SetStatusMessage(reason string) error {
	r.x.check("SetStatusMessage")
	switch {
	case !bytesparse.IsFieldValue(reason):
		return &StatusError{Code: r.status, Reason: reason}
	case r.out.HeadSent():
		return ErrHeadSent
	}
	r.reason, r.plain = reason, r.plain && reason == ""
	return nil
}

// StatusMessage returns the reason phrase that will be, or was, sent (seed:
// response.statusMessage): the standard one, if none was set.
func (r *Response) StatusMessage() string {
	r.x.check("StatusMessage")
	if r.reason == "" {
		return writer.StatusText(r.status)
	}
	return r.reason
}

// WriteHead sets status, reason phrase (empty: the standard one) and fields, given as name, value,
// name, value. They replace fields of the same names that were set before; a name that is given
// several times makes a line each time. It sends nothing yet: the head leaves with the first body
// bytes (seed: response.writeHead). If a field is invalid, the status, the reason phrase and the
// fields before it have been set; on any other error nothing has changed.
func (r *Response) WriteHead(status int, reason string, headers ...string) error {
	r.x.check("WriteHead")
	if len(headers)%2 != 0 {
		return errOddFields
	}
	if !bytesparse.IsFieldValue(reason) {
		return &StatusError{Code: status, Reason: reason}
	}
	if err := r.SetStatus(status); err != nil {
		return err
	}
	_ = r.SetStatusMessage(reason)
	for i := 0; i < len(headers); i += 2 {
		var err error
		if hasName(headers[:i], headers[i]) {
			err = r.out.Headers.Add(headers[i], headers[i+1])
		} else {
			err = r.out.Headers.Set(headers[i], headers[i+1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hasName reports whether fields, given as name, value, name, value, has one called name.
func hasName(fields []string, name string) bool {
	for i := 0; i < len(fields); i += 2 {
		if bytesparse.EqualFold(fields[i], name) {
			return true
		}
	}
	return false
}

var errOddFields = errors.New("gale: fields come in pairs of name and value")

// SetHeader sets a field, one line per value, and replaces all lines of that name (seed:
// response.setHeader). A name that is not a token, or a value with CR, LF, NUL or another control
// byte, is a *writer.FieldError, and nothing has changed. Once the head is sent, the error is
// ErrHeadSent.
func (r *Response) SetHeader(name string, values ...string) error {
	r.x.check("SetHeader")
	if r.out.HeadSent() {
		return ErrHeadSent
	}
	return r.out.Headers.Set(name, values...)
}

// AddHeader appends a field line and leaves other lines of that name alone: another Set-Cookie, for
// example. Its errors are those of SetHeader.
func (r *Response) AddHeader(name, value string) error {
	r.x.check("AddHeader")
	if r.out.HeadSent() {
		return ErrHeadSent
	}
	return r.out.Headers.Add(name, value)
}

// AddHeaderBytes is AddHeader for byte slices, which are copied. It is for forwarding messages.
func (r *Response) AddHeaderBytes(name, value []byte) error {
	r.x.check("AddHeaderBytes")
	if r.out.HeadSent() {
		return ErrHeadSent
	}
	return r.out.Headers.AddBytes(name, value)
}

// GetHeader returns the value of a field that was set, nil when there is none; several values are
// joined with ", ", those of Cookie with "; ", and those of Set-Cookie, which cannot be joined, are
// represented by the first (seed: response.getHeader). The result is a view, valid until the next
// call of a setter or, if values were joined, of GetHeader.
func (r *Response) GetHeader(name string) []byte {
	r.x.check("GetHeader")
	return r.out.Headers.Get(name)
}

// HeaderValues iterates over the values of a field that was set, one by one.
func (r *Response) HeaderValues(name string) iter.Seq[[]byte] {
	r.x.check("HeaderValues")
	values := r.out.Headers.Values(name)
	if !pool.Debug {
		return values
	}
	return func(yield func([]byte) bool) {
		r.x.check("HeaderValues")
		values(yield)
	}
}

// RemoveHeader removes a field that was set (seed: response.removeHeader). Once
// the head is sent it does nothing.
func (r *Response) RemoveHeader(name string) {
	r.x.check("RemoveHeader")
	if !r.out.HeadSent() {
		r.out.Headers.Remove(name)
	}
}

// HeadersSent reports whether the head can no longer be changed (seed: response.headersSent).
func (r *Response) HeadersSent() bool {
	r.x.check("HeadersSent")
	return r.out.HeadSent()
}

// SetSendDate turns the Date field off, or on again (seed: response.sendDate). RFC 9110 §6.6.1
// requires the field of servers that have a clock.
func (r *Response) SetSendDate(on bool) {
	r.x.check("SetSendDate")
	r.out.NoDate = !on
}

// Write sends p as the next piece of the body, together with the head if that has not been sent
// (seed: response.write). While the peer is slow it waits, and the loop serves others. Without a
// Content-Length the body is chunked or, in HTTP/1.0, ends with the connection. Where a response
// cannot have a body (to HEAD, with 204 or 304), p is dropped. p is not kept. io.Writer.
func (r *Response) Write(p []byte) (int, error) {
	r.x.check("Write")
	if !r.x.mine() {
		return r.x.writeElsewhere(r.out.Write, p)
	}
	return r.out.Write(p)
}

// WriteString is Write for a string, which is not copied.
func (r *Response) WriteString(s string) (int, error) {
	r.x.check("WriteString")
	return r.Write(bytesOf(s))
}

// Flush sends the head if that has not been sent (seed: request.flushHeaders). Body bytes need no
// Flush: Write has sent them.
func (r *Response) Flush() error {
	r.x.check("Flush")
	if !r.x.mine() {
		return r.x.doElsewhere(r.out.FlushHead)
	}
	return r.out.FlushHead()
}

// SetWriteDeadline makes every method that sends fail with ErrTimeout if it has to wait for the
// peer beyond t, in addition to what Timeouts allow; the zero time clears it. It holds until the
// handler returns. Any goroutine may call it, also while a Write waits: a time that has passed ends
// the wait.
func (r *Response) SetWriteDeadline(t time.Time) {
	r.x.check("SetWriteDeadline")
	r.x.needsCleanup.Store(true)
	r.x.conn.SetWriteDeadline(t)
}

// AddTrailers adds fields, as name, value, name, value, that follow the body. They are sent if the
// body is chunked, and silently dropped otherwise (seed: response.addTrailers). A field Trailer in
// the head makes it chunked, even where End has all of it, except in HTTP/1.0 and where a
// Content-Length was set. The error is a *writer.FieldError, ErrTrailer, or ErrEnded after End.
func (r *Response) AddTrailers(headers ...string) error {
	r.x.check("AddTrailers")
	if len(headers)%2 != 0 {
		return errOddFields
	}
	if r.out.Ended() {
		return ErrEnded
	}
	for i := 0; i < len(headers); i += 2 {
		if !exchange.MayTrail(headers[i]) {
			return ErrTrailer
		}
		if err := r.out.Trailers.Add(headers[i], headers[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// End completes the response with p, which may be nil, as the last piece of its body (seed:
// response.end). If it is the only piece, its length is declared, unless the head has a field
// Trailer (see AddTrailers). A handler that returns without calling End ends its response all the
// same.
func (r *Response) End(p []byte) error {
	r.x.check("End")
	if !r.x.mine() {
		return r.endElsewhere(p)
	}
	if r.plain {
		goesOn := r.to.KeepAlive
		if r.x.server.run.closing.Load() {
			goesOn = false
		}
		if done, err := r.out.EndWhole(p, goesOn); done {
			return err
		}
	}
	return r.out.End(p)
}

// endElsewhere is End for goroutines other than the handler's.
func (r *Response) endElsewhere(p []byte) error {
	_, err := r.x.writeElsewhere(func(p []byte) (int, error) { return 0, r.out.End(p) }, p)
	return err
}

// EndString is End for a string, which is not copied.
func (r *Response) EndString(s string) error {
	r.x.check("EndString")
	return r.End(bytesOf(s))
}

var _ io.Writer = (*Response)(nil)
var _ io.StringWriter = (*Response)(nil)
