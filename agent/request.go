// Request: the options of a request (seed: the options of http.request).

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

// Request holds the options of a request. Its zero value is GET http://localhost/. It is
// meant to be reused: what was derived from its fields is kept as long as they do not
// change. One call at a time may use it; it must not be copied after first use.
type Request struct {
	// URL is "http://host:port/path?query", or https; its user information is used as Auth.
	// What no request target can have is percent-encoded, except control bytes, which are
	// errors. The fields below override it where they are set.
	URL string
	// Method is GET when empty.
	Method string
	// Host is a name or an IP address, "localhost" when empty. Hostname, if set, takes
	// precedence (seed: options.hostname).
	Host, Hostname string
	// Port is 80, or 443 for https, when 0.
	Port int
	// Path is the request target with its query, "/" when empty. "*" is allowed with
	// OPTIONS only; CONNECT takes host:port. It is sent as it is, and checked.
	Path string
	// Auth is "user:password" for Basic authentication (RFC 7617). An Authorization
	// field overrides it.
	Auth string
	// Body is the whole body. It is only read, and possibly sent more than once.
	Body []byte
	// Source, when set, supplies the body instead of Body.
	Source Source
	// Route says how the connection is made.
	Route Route
	// On holds the event functions of the request (seed: its events).
	On Events

	out      exchange.Outgoing
	target   target
	raw      []byte    // set by SetPath
	sends    *Response // whose call is still sending the body concurrently; nil: none
	rawValid bool      // raw is known to be valid
	lastSent lastSent  // see fastcall.go
	self     *Request  // the request that the functions of out are bound to
}

// Source is a body that is read while it is sent. Unless all of it is at hand, a goroutine
// other than the caller of Do reads it, until the response has been read to its end or
// closed. While neither Source nor the server delivers anything, only the context ends the
// call.
type Source struct {
	// Reader is read to its end. If it is an engine.Request or a Response, those of its
	// trailers that are allowed as trailers follow the body. A Read that is waiting when the
	// call ends is not waited for, and what it returns is dropped; a Response used as Reader,
	// however, is free for its owner again once the response to this request is closed.
	Reader io.Reader
	Length int64 // the length of the body if known and > 0; otherwise it is sent in chunks
	// Again, when set, returns the body from its beginning, so that the request can be
	// retried. It is not called while a Read of the previous reader is still in progress.
	Again func() (io.Reader, error)
}

// Route is how a server is reached. Requests whose Routes differ do not share sockets. TLS is
// compared by address: a new configuration for each call leaves a pool behind each time.
type Route struct {
	Family       int         // 4 or 6: only addresses of that family
	LocalAddress string      // the IP address to connect from (seed: localAddress)
	SocketPath   string      // a unix socket to connect to instead (seed: socketPath)
	TLS          *tls.Config // for https, instead of the agent's; sessions are resumed if it has a ClientSessionCache
	Proxy        string      // "http://user:password@host:port", or https: plain requests are forwarded, https goes through CONNECT
}

// prepare makes the request ready to be sent.
func (q *Request) prepare() {
	if q.self != q {
		q.self = q
		q.out.Start, q.out.Plan = q.startLine, q.plan
		q.out.NoDate = true
	}
	q.out.Again()
}

// startLine appends the request line and the default fields that were not set explicitly.
func (q *Request) startLine(dst []byte) []byte {
	t := &q.target
	dst = append(append(dst, t.methodName...), ' ')
	at := len(dst)
	if len(q.raw) > 0 {
		dst = t.appendTarget(dst, q.raw)
	} else {
		dst = append(dst, t.path...)
	}
	target := dst[at:]
	dst = append(dst, " HTTP/1.1\r\n"...)
	h := &q.out.Headers
	switch {
	case h.Has(bytesparse.FieldHost):
	case t.method == bytesparse.MethodConnect: // Host names the end of the tunnel (RFC 9112 §3.2)
		dst = append(dst, "Host: "...)
		dst = append(append(dst, target...), "\r\n"...)
	default:
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
	if q.Source.Reader != nil && q.out.Interrupt == nil { // a ClientRequest, which sets Interrupt, ignores Source
		r.Trailer = false // it has a length if Source.Length says so
	}
	*p = h1.PlanRequest(q.target.method, q.target.keepAlive, *r)
	return nil
}

// SetHeader sets a field, replacing any of that name, with one line for each value (seed:
// request.setHeader). If the name is not a token, or a value contains CR, LF, NUL or
// another control byte, it returns a *writer.FieldError and changes nothing. It also
// rejects several values for Host, and a value that is not a valid host.
//
// A Host, Authorization or Content-Length takes the place of what the agent would send.
// Connection: close is obeyed; Connection: keep-alive is replaced by close under NoAgent
// and an agent with neither KeepAlive nor MaxSockets.
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

// SetPath sets the request target, overriding Path, from bytes, which are copied. It is
// meant for forwarding. nil undoes it.
func (q *Request) SetPath(path []byte) {
	if bytes.Equal(q.raw, path) {
		return
	}
	q.raw = append(q.raw[:0], path...)
	q.rawValid = false
	q.target.edition++
}

// AddHeaderBytes is AddHeader for byte slices, which are copied.
func (q *Request) AddHeaderBytes(name, value []byte) error {
	if err := addsHost(q, name, value); err != nil {
		return err
	}
	return q.out.Headers.AddBytes(name, value)
}

// AddHeader appends a field line and keeps existing lines of that name. Its errors are
// those of SetHeader.
func (q *Request) AddHeader(name, value string) error {
	if err := addsHost(q, name, value); err != nil {
		return err
	}
	return q.out.Headers.Add(name, value)
}

// addsHost checks a field to be added, if it is Host.
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

// isHost reports whether name is Host, which a request has exactly once (RFC 9112 §3.2).
func isHost[T string | []byte](name T) bool {
	return len(name) == 4 && bytesparse.LookupField(name) == bytesparse.FieldHost
}

// GetHeader returns the value of a field that was set, several values joined with ", ", those
// of Cookie with "; ", the first of Set-Cookie, nil when there is none (seed:
// request.getHeader). The result is a view, valid until the next call of a setter or, if
// values were joined, of GetHeader.
func (q *Request) GetHeader(name string) []byte { return q.out.Headers.Get(name) }

// RemoveHeader removes a field that was set (seed: request.removeHeader).
func (q *Request) RemoveHeader(name string) { q.out.Headers.Remove(name) }

// ClearHeaders removes all fields and trailers that were set.
func (q *Request) ClearHeaders() {
	q.out.Headers.Reset()
	q.out.Trailers.Reset()
}

// AddTrailers adds trailers, as name, value, name, value. They follow a chunked body and
// are dropped otherwise. A Trailer field makes a Body chunked, unless a Content-Length was
// set. Trailers added while Source is being read belong to that body, and are removed with
// it. Errors are those of SetHeader, and ErrTrailer.
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
