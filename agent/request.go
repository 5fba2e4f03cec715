// Request: what is asked, of whom (seed: the options of http.request).

package agent

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
)

// Request is a request to be made. Its zero value asks http://localhost/ with GET.
// It is made to be used again: what it has worked out is kept as long as the fields
// say the same. One call at a time may use it; it must not be copied after first use.
type Request struct {
	// URL is "http://host:port/path?query" or https; user data in it is for Auth. The
	// fields below, where they are set, stand in its place.
	URL string
	// Method is GET when empty.
	Method string
	// Host is a name or an IP address, "localhost" when empty. Hostname, if set, is
	// preferred (seed: options.hostname).
	Host, Hostname string
	// Port is 80, or 443 for https, when 0.
	Port int
	// Path is the request target, with the query: "/" when empty. "*" is for OPTIONS,
	// host:port for CONNECT.
	Path string
	// Auth is "user:password" for Basic authentication (RFC 7617). An Authorization
	// field overrides it.
	Auth string
	// Body is the whole body. It is not changed, and may be sent more than once.
	Body []byte
	// Source, when set, is where the body is read from instead.
	Source Source
	// Route says which way the connection takes.
	Route Route
	// On are the seed's events of a request.
	On Events

	out    exchange.Outgoing
	target target
	raw    []byte    // of SetPath
	sends  *Response // for whose call the body is being sent beside it; nil: none
	judged bool      // raw is known to be good
	usual  usual     // see swift.go
	self   *Request  // where the functions of out belong
}

// Source is a body that is read while it is sent: by another goroutine than the one that
// calls Do, unless all of it is at hand, and until the answer has been read to its end or
// closed. Where nothing comes from it and nothing from the server, only the context ends
// the call.
type Source struct {
	// Reader is read to its end. Of an engine.Request, or a Response, the trailers follow
	// that may. A Read that waits when the call ends is not waited for, and what it brings
	// is dropped: only a Response is its owner's again once that is closed.
	Reader io.Reader
	Length int64 // how much it has when that is known and > 0; else it is sent in chunks
	// Again, when set, gives the body from its beginning, so that the request can be
	// sent again. It is not called while a Read of what it replaces is under way.
	Again func() (io.Reader, error)
}

// Route is how a server is reached. Requests whose Routes differ do not share sockets.
type Route struct {
	Family       int         // 4 or 6: only addresses of that kind
	LocalAddress string      // the IP address to connect from (seed: localAddress)
	SocketPath   string      // a unix socket to connect to instead (seed: socketPath)
	TLS          *tls.Config // for https, instead of the agent's; sessions are resumed if it brings a ClientSessionCache
	Proxy        string      // "http://user:password@host:port", or https: plain requests are forwarded, https goes through CONNECT
}

// prepare makes the request ready to be sent to its target.
func (q *Request) prepare() {
	if q.self != q {
		q.self = q
		q.out.Start, q.out.Plan = q.startLine, q.plan
		q.out.NoDate = true
	}
	q.out.Again()
}

// startLine appends the request line and the fields that nobody has set.
func (q *Request) startLine(dst []byte) []byte {
	t := &q.target
	dst = append(append(dst, t.methodName...), ' ')
	if len(q.raw) > 0 {
		dst = t.appendTarget(dst, q.raw)
	} else {
		dst = append(dst, t.path...)
	}
	dst = append(dst, " HTTP/1.1\r\n"...)
	h := &q.out.Headers
	if !h.Has(bytesparse.FieldHost) {
		dst = append(dst, t.hostLine...)
	}
	if t.auth != "" && !h.Has(bytesparse.FieldAuthorization) {
		dst = append(dst, t.auth...)
	}
	if t.proxyAuth != "" && !h.Has(bytesparse.FieldProxyAuthorization) {
		dst = append(dst, t.proxyAuth...)
	}
	return dst
}

func (q *Request) plan(r *h1.Reply, p *h1.Plan) error {
	*p = h1.PlanRequest(q.target.method, q.target.keepAlive, *r)
	return nil
}

// SetHeader sets a field in place of any of that name: one line for each value (seed:
// request.setHeader). A name that is no token, or a value with CR, LF, NUL or another
// control byte, is a *writer.FieldError, and nothing has changed. So it is, with another
// error, when Host has several values or one that no host can have.
func (q *Request) SetHeader(name string, values ...string) error {
	switch {
	case !isHost(name):
	case len(values) > 1:
		return errFieldTwo
	case len(values) == 1 && !bytesparse.ValidHost([]byte(values[0])):
		return errField
	}
	return q.out.Headers.Set(name, values...)
}

// SetPath sets the request target in place of Path, from bytes, which are copied: for
// who forwards requests. nil gives it up again.
func (q *Request) SetPath(path []byte) {
	if bytes.Equal(q.raw, path) {
		return
	}
	q.raw = append(q.raw[:0], path...)
	q.judged = false
	q.target.edition++
}

// AddHeaderBytes is AddHeader for bytes, which are copied.
func (q *Request) AddHeaderBytes(name, value []byte) error {
	if err := addsHost(q, name, value); err != nil {
		return err
	}
	return q.out.Headers.AddBytes(name, value)
}

// AddHeader appends a field line and leaves others of the name alone. Errors are those
// of SetHeader.
func (q *Request) AddHeader(name, value string) error {
	if err := addsHost(q, name, value); err != nil {
		return err
	}
	return q.out.Headers.Add(name, value)
}

// addsHost judges a field that is to be added, if it is Host.
func addsHost[T string | []byte](q *Request, name, value T) error {
	switch {
	case !isHost(name):
		return nil
	case q.out.Headers.Has(bytesparse.FieldHost):
		return errFieldTwo
	case !bytesparse.ValidHost([]byte(value)):
		return errField
	}
	return nil
}

// isHost tells whether name is that of the field that a request has once (RFC 9112 §3.2).
func isHost[T string | []byte](name T) bool {
	return len(name) == 4 && bytesparse.LookupField(name) == bytesparse.FieldHost
}

// GetHeader returns the value of a field that was set, several joined with ", ", nil
// when there is none (seed: request.getHeader). It is a view until the next call of a
// setter.
func (q *Request) GetHeader(name string) []byte { return q.out.Headers.Get(name) }

// RemoveHeader removes a field that was set (seed: request.removeHeader).
func (q *Request) RemoveHeader(name string) { q.out.Headers.Remove(name) }

// ClearHeaders removes all fields that were set, and all trailers.
func (q *Request) ClearHeaders() {
	q.out.Headers.Reset()
	q.out.Trailers.Reset()
}

// AddTrailers adds fields, as name, value, name, value, that follow a body sent in
// chunks, and are dropped otherwise. What is added while Source is read belongs to that
// body, and goes with it. Errors are those of SetHeader, and ErrTrailer.
func (q *Request) AddTrailers(headers ...string) error {
	if len(headers)%2 != 0 {
		return errOdd
	}
	for i := 0; i < len(headers); i += 2 {
		if !exchange.MayTrail(headers[i]) {
			return ErrTrailer
		}
		if err := q.out.Trailers.Add(headers[i], headers[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// basic returns a field line for Basic authentication.
func basic(name, auth string) string {
	return name + ": Basic " + base64.StdEncoding.EncodeToString([]byte(auth)) + "\r\n"
}
