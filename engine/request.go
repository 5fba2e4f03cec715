// The Request: a message that has come in (seed: http.IncomingMessage).

package engine

import (
	"io"
	"iter"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
)

// Request is a request being answered (seed: http.IncomingMessage). It belongs to the handler until
// that returns, and so do all bytes that its methods return; strings may be kept. Its methods are
// for one goroutine at a time, except that Read and Context may each be called by any other one
// meanwhile. All goroutines must be done with it when the handler returns, because it is then
// reused for another client (see "What a handler may do" in the package documentation). Its methods
// do not allocate, except Context and those that say so.
type Request struct {
	x  *responder
	in exchange.Incoming
}

// versions are the values of HTTPVersion, by minor version.
var versions = [...]string{"1.0", "1.1"}

func (r *Request) begin() {
	res := &r.x.res
	r.in.BeforeBody = nil
	if res.hasBody {
		run := &r.x.server.run
		r.in.Rate, r.in.Grace = run.bodyRate, run.timeouts.grace
	}
	if res.expects {
		if res.expect = expectPending; r.x.server.On.CheckContinue == nil {
			r.in.BeforeBody = res.sendContinue
		}
	}
}

// Method returns the request method, in the case in which it was sent (seed: message.method). For a
// method that is not in bytesparse.Methods it allocates a copy.
func (r *Request) Method() string {
	r.x.check("Method")
	if m := r.in.Head.Method; m != bytesparse.MethodOther {
		return m.String()
	}
	return string(r.in.Head.Name.Of(r.in.HeadBytes()))
}

// URL returns the request target as received, not decoded (seed: message.url; RFC 9112 §3.2).
// Nearly always that is a path and a query, but any client may send "http://host/path" instead, and
// OPTIONS may have "*". Code that routes or refuses requests by their target should look at Path.
func (r *Request) URL() []byte {
	r.x.check("URL")
	return r.in.Head.Target.Of(r.in.HeadBytes())
}

// Path returns the path of the target, in whatever form that was sent, without the query and not
// decoded: "/" when an absolute target has none, "*" for OPTIONS *, nil for CONNECT. See
// bytesparse.CutTarget (RFC 9112 §3.2; seed: url.parse(message.url).pathname).
func (r *Request) Path() []byte {
	r.x.check("Path")
	_, _, path, _ := bytesparse.CutTarget(r.in.Head.Target.Of(r.in.HeadBytes()))
	return path
}

// Query returns what follows the first "?" of the target, not decoded, nil when there is none;
// bytesparse.QueryPairs splits it (seed: url.parse(message.url).query).
func (r *Request) Query() []byte {
	r.x.check("Query")
	_, _, _, query := bytesparse.CutTarget(r.in.Head.Target.Of(r.in.HeadBytes()))
	return query
}

// HTTPVersion returns "1.1" or "1.0" (seed: message.httpVersion).
func (r *Request) HTTPVersion() string {
	r.x.check("HTTPVersion")
	return versions[r.in.Head.Minor&1]
}

// HTTPVersionMajor returns 1 (seed: message.httpVersionMajor).
func (r *Request) HTTPVersionMajor() int {
	r.x.check("HTTPVersionMajor")
	return 1
}

// HTTPVersionMinor returns 0 or 1 (seed: message.httpVersionMinor).
func (r *Request) HTTPVersionMinor() int {
	r.x.check("HTTPVersionMinor")
	return int(r.in.Head.Minor)
}

// Header returns the value of a field, nil when there is none; name may be in any case. Several
// lines of one name are joined with ", ", except that single-valued fields, cookie and set-cookie
// give the first (seed: message.headers). Host is the authority of a target in absolute-form,
// whatever the field says (RFC 9112 §3.2.2); RawHeaders has the field itself.
func (r *Request) Header(name string) []byte {
	r.x.check("Header")
	return r.in.Header(name)
}

// Headers iterates over names, in lower case, and values, merged as in Header; cookie and
// set-cookie come once per line (seed: message.headers).
func (r *Request) Headers() iter.Seq2[[]byte, []byte] {
	r.x.check("Headers")
	return checked(r.x, "Headers", r.in.Headers())
}

// RawHeaders iterates over the field lines exactly as received (seed: message.rawHeaders).
func (r *Request) RawHeaders() iter.Seq2[[]byte, []byte] {
	r.x.check("RawHeaders")
	return checked(r.x, "RawHeaders", r.in.RawHeaders())
}

// Trailers iterates over the trailer fields as Headers does. There are none until Read has returned
// io.EOF (seed: message.trailers).
func (r *Request) Trailers() iter.Seq2[[]byte, []byte] {
	r.x.check("Trailers")
	return checked(r.x, "Trailers", r.in.Trailers())
}

// RawTrailers iterates over the trailer lines exactly as received; there are none until Read has
// returned io.EOF (seed: message.rawTrailers).
func (r *Request) RawTrailers() iter.Seq2[[]byte, []byte] {
	r.x.check("RawTrailers")
	return checked(r.x, "RawTrailers", r.in.RawTrailers())
}

// Read reads the body; it waits until some of it has arrived, and returns io.EOF at its end. While
// it waits, the loop serves others. A body that breaks the protocol or a limit, or takes too long
// (ErrTimeout), gives an error; if the handler then returns without an answer, and has set no error
// status itself, the client gets the status that the error deserves (400, 413, 408). One goroutine
// at a time may call it, not necessarily the handler's.
func (r *Request) Read(p []byte) (int, error) {
	r.x.check("Read")
	if !r.x.mine() {
		return r.x.readElsewhere(p)
	}
	if err := r.x.guard.enterInside(); err != nil {
		return 0, err
	}
	defer r.x.guard.leaveInside()
	return r.in.Read(p)
}

// WriteTo writes the body to w, as Read would return it, to its end. io.Copy from a request uses it
// and needs no buffer of its own.
func (r *Request) WriteTo(w io.Writer) (int64, error) {
	r.x.check("WriteTo")
	if !r.x.mine() {
		return copyElsewhere(w.Write, r.x.readElsewhere)
	}
	if err := r.x.guard.enterInside(); err != nil {
		return 0, err
	}
	defer r.x.guard.leaveInside()
	return r.in.WriteTo(w)
}

// ContentLength returns the declared length of the body, 0 when there is no body, and -1 when the
// body is chunked and its length not known.
func (r *Request) ContentLength() int64 {
	r.x.check("ContentLength")
	if v := r.in.Head.Value(r.in.HeadBytes(), bytesparse.FieldContentLength); v != nil {
		n, _ := bytesparse.ParseUint(v)
		return n
	}
	if r.in.Head.Has(bytesparse.FieldTransferEncoding) {
		return -1
	}
	return 0
}

// Received returns the request as gale's own packages see it: agent.Request.Forward uses it.
func (r *Request) Received() *exchange.Incoming {
	r.x.check("Received")
	return &r.in
}

// Socket returns the connection of the request (seed: message.connection), which is the server's:
// see Socket. The first call on a connection allocates.
func (r *Request) Socket() *Socket {
	r.x.check("Socket")
	return r.x.conn.socket()
}

// SetReadDeadline makes reads of the body fail with ErrTimeout from t on, in addition to what
// Timeouts allow; the zero time clears it. It holds until the handler returns. Any goroutine may
// call it, also while Read waits: a time that has passed ends the wait.
func (r *Request) SetReadDeadline(t time.Time) {
	r.x.check("SetReadDeadline")
	r.x.needsCleanup.Store(true)
	r.x.conn.SetReadDeadline(t)
}

var (
	_ io.Reader   = (*Request)(nil)
	_ io.WriterTo = (*Request)(nil)
)
