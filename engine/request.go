// Request: what came in (seed: http.IncomingMessage).

package engine

import (
	"io"
	"iter"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
)

// Request is a request under way (seed: http.IncomingMessage). It is the
// handler's until that returns, and so are all bytes that its methods hand out;
// the strings may be kept. Its methods are for one goroutine at a time, Read and
// Context for any one beside it; all must be done with it when the handler returns,
// because then it is another client's request (see What a handler may do, above). None but
// Context and those that say so allocates.
type Request struct {
	x  *responder
	in exchange.Incoming
}

// The versions a request can have, as strings that need not be made.
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

// Method returns the request method, case as sent (seed: message.method). A method
// that is not in bytesparse.Methods is copied.
func (r *Request) Method() string {
	r.x.check("Method")
	if m := r.in.Head.Method; m != bytesparse.MethodOther {
		return m.String()
	}
	return string(r.in.Head.Name.Of(r.in.HeadBytes()))
}

// URL returns the request target as received, not decoded (seed: message.url; RFC
// 9112 §3.2). Nearly always that is path and query, but any client may send
// "http://host/path" as well, and OPTIONS have "*": what is chosen or refused by where a
// request goes should look at Path.
func (r *Request) URL() []byte {
	r.x.check("URL")
	return r.in.Head.Target.Of(r.in.HeadBytes())
}

// Path returns the path of the target, whatever form that has, without the query and not
// decoded: "/" when an absolute target has none, "*" of OPTIONS *, nil for CONNECT. See
// bytesparse.CutTarget (RFC 9112 §3.2; seed: url.parse(message.url).pathname).
func (r *Request) Path() []byte {
	r.x.check("Path")
	_, _, path, _ := bytesparse.CutTarget(r.in.Head.Target.Of(r.in.HeadBytes()))
	return path
}

// Query returns what is behind the first "?" of the target, not decoded, nil when there is
// none; bytesparse.QueryPairs parts it (seed: url.parse(message.url).query).
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

// Header returns the value of a field, nil when there is none; name in any case.
// Several lines of one name are joined with ", ", except that single-valued
// fields, cookie and set-cookie give the first (seed: message.headers). Host is
// the authority of a target in absolute-form, whatever the field says (RFC 9112
// §3.2.2); RawHeaders has the field.
func (r *Request) Header(name string) []byte {
	r.x.check("Header")
	return r.in.Header(name)
}

// Headers iterates over names, in lower case, and values, merged as in Header;
// cookie comes once for each of its lines (seed: message.headers).
func (r *Request) Headers() iter.Seq2[[]byte, []byte] {
	r.x.check("Headers")
	return checked(r.x, "Headers", r.in.Headers())
}

// RawHeaders iterates over the field lines exactly as received (seed:
// message.rawHeaders).
func (r *Request) RawHeaders() iter.Seq2[[]byte, []byte] {
	r.x.check("RawHeaders")
	return checked(r.x, "RawHeaders", r.in.RawHeaders())
}

// Trailers iterates over the trailers as Headers does. There are none until Read
// has returned io.EOF (seed: message.trailers).
func (r *Request) Trailers() iter.Seq2[[]byte, []byte] {
	r.x.check("Trailers")
	return checked(r.x, "Trailers", r.in.Trailers())
}

// RawTrailers iterates over the trailer lines exactly as received; none until
// Read has returned io.EOF (seed: message.rawTrailers).
func (r *Request) RawTrailers() iter.Seq2[[]byte, []byte] {
	r.x.check("RawTrailers")
	return checked(r.x, "RawTrailers", r.in.RawTrailers())
}

// Read reads the body, waiting until some of it has arrived; io.EOF is its end. A
// body that breaks the protocol or a limit, or takes too long (ErrTimeout), gives an
// error, and its sender the status it deserves (400, 413, 408) if the handler returns
// without an answer. While it waits, the loop serves others. It may be called by one
// goroutine at a time, any one.
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

// WriteTo writes the body to w, as Read would have it, until its end: io.Copy from a
// request takes this way and needs no buffer of its own.
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

// ContentLength returns the length of the body when it was declared, 0 when there
// is no body, and -1 when only its end will tell.
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

// Received is the request as gale's own packages see it: agent.Request.Forward asks for it.
func (r *Request) Received() *exchange.Incoming {
	r.x.check("Received")
	return &r.in
}

// Socket returns the connection of the request (seed: message.connection), which is
// the server's: see Socket. The first call on a connection allocates.
func (r *Request) Socket() *Socket {
	r.x.check("Socket")
	return r.x.conn.socket()
}

// SetReadDeadline has reads of the body wait no longer than until t, and fail with
// ErrTimeout then, beside what Timeouts allow; the zero time takes it back. It holds
// until the handler returns. Any goroutine may call it, also while Read waits: a time
// that has passed ends the wait.
func (r *Request) SetReadDeadline(t time.Time) {
	r.x.check("SetReadDeadline")
	r.x.odd.Store(true)
	r.x.conn.SetReadDeadline(t)
}

var (
	_ io.Reader   = (*Request)(nil)
	_ io.WriterTo = (*Request)(nil)
)
