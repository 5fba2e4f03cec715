// Response: the response to a request (seed: http.IncomingMessage).

package agent

import (
	"crypto/tls"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Response is the response to a request (seed: http.IncomingMessage). Its zero value is
// ready for Do, and it is meant to be reused. It must be read to its end or closed. The
// byte slices that its methods return are valid until it is closed or reused; the strings
// may be kept. Its methods are for one goroutine at a time; it must not be copied. Methods
// do not allocate unless they say so.
type Response struct {
	call
	in       exchange.Incoming
	machine  h1.Conn
	last     exchange.Last
	open     bool // a head has been received
	keep     bool // the socket can be used for another request once all is read
	wanted   bool // a 100 Continue has been received
	secure   *tls.ConnectionState
	early    bool     // the head of the response came before the body was sent
	broken   error    // why no response can come, if that was found before the body was sent
	query    *Request // the request that it answers
	sourceOf *sender  // the sender of another request that reads, or has read, the body as its Source
}

// versions are the possible HTTP versions of a response, as constant strings.
var versions = [...]string{"1.0", "1.1"}

// StatusCode returns the status, 100 to 999 (seed: message.statusCode).
func (r *Response) StatusCode() int { return int(r.in.Head.Status) }

// StatusMessage returns the reason phrase as received (seed: message.statusMessage).
func (r *Response) StatusMessage() []byte { return r.in.Head.Reason.Of(r.in.HeadBytes()) }

// HTTPVersion returns "1.1" or "1.0" (seed: message.httpVersion).
func (r *Response) HTTPVersion() string { return versions[r.in.Head.Minor&1] }

// HTTPVersionMajor returns 1 (seed: message.httpVersionMajor).
func (r *Response) HTTPVersionMajor() int { return 1 }

// HTTPVersionMinor returns 0 or 1 (seed: message.httpVersionMinor).
func (r *Response) HTTPVersionMinor() int { return int(r.in.Head.Minor) }

// Header returns the value of a field, nil when there is none; case does not matter in
// name. Several lines of one name are joined with ", ", except that for single-valued
// fields and set-cookie only the first is returned (seed: message.headers).
func (r *Response) Header(name string) []byte { return r.in.Header(name) }

// Headers iterates over the fields with lower-case names, merged as in Header, except that
// set-cookie is yielded once for each of its lines (seed: message.headers).
func (r *Response) Headers() iter.Seq2[[]byte, []byte] { return r.in.Headers() }

// RawHeaders iterates over the field lines exactly as received (seed:
// message.rawHeaders).
func (r *Response) RawHeaders() iter.Seq2[[]byte, []byte] { return r.in.RawHeaders() }

// Trailers iterates over the trailers as Headers does. There are none until Read has
// returned io.EOF (seed: message.trailers).
func (r *Response) Trailers() iter.Seq2[[]byte, []byte] { return r.in.Trailers() }

// RawTrailers iterates over the trailer lines exactly as received; none until Read has
// returned io.EOF (seed: message.rawTrailers).
func (r *Response) RawTrailers() iter.Seq2[[]byte, []byte] { return r.in.RawTrailers() }

// ContentLength returns the declared length of the body, 0 when there is none, and -1
// when the length is not known in advance. For a response to HEAD and for a 304 it is the
// length that the head declares, or -1.
func (r *Response) ContentLength() int64 {
	if r.machine.Framing() == h1.None && r.machine.Method() != bytesparse.MethodHead && r.in.Head.Status != 304 {
		return 0 // whatever the head of a 204 declares
	}
	if v := r.in.Head.Value(r.in.HeadBytes(), bytesparse.FieldContentLength); v != nil && !r.in.Head.Has(bytesparse.FieldTransferEncoding) {
		if n, ok := bytesparse.ParseUint(v); ok {
			return n
		}
	}
	return -1
}

// TLS returns the state of the TLS connection that the response was received over, nil for
// a plain one (seed: message.socket's getPeerCertificate). It is shared and must not be
// changed.
func (r *Response) TLS() *tls.ConnectionState { return r.secure }

// KeepsAlive reports whether the socket will be kept for other requests once the body has
// been read.
func (r *Response) KeepsAlive() bool { return r.keep }

// Received returns the response for use by gale's own packages, such as engine.Response.Forward.
func (r *Response) Received() *exchange.Incoming { return &r.in }

// SetTimeout bounds each wait for more of the body; 0 is no timeout (seed:
// message.setTimeout).
func (r *Response) SetTimeout(d time.Duration) {
	if r.conn != nil {
		r.conn.ReadTimeout = millis(d, 0)
	}
}

// Read reads the body and waits until some of it has arrived; at its end it returns io.EOF,
// and the socket is free for other requests. For a body that was cut short it returns
// ErrUnexpectedEOF in an *Error, never a short success. Over TLS, a body delimited by the
// end of the connection counts as cut short, with ErrNoCloseNotify, when no close_notify
// was received.
func (r *Response) Read(p []byte) (int, error) {
	if !r.open {
		return 0, r.notOpen(io.EOF)
	}
	n, err := r.in.Read(p)
	return n, r.afterRead(err, err == io.EOF)
}

// WriteTo writes the rest of the body to w. Its errors are those of Read, and those of w.
// io.Copy from a Response uses it, and needs no buffer of its own.
func (r *Response) WriteTo(w io.Writer) (int64, error) {
	if !r.open {
		return 0, r.notOpen(nil)
	}
	n, err := r.in.WriteTo(w)
	return n, r.afterRead(err, true)
}

// notOpen returns what a read of a closed response fails with: end if there was nothing to
// read or all was read.
func (r *Response) notOpen(end error) error {
	if r.unread {
		return &Error{"read", r.call.origin.name, ErrAborted}
	}
	return end
}

// afterRead gives the socket back when the whole response has been received, or no longer can
// be. last says that nothing more will be read.
func (r *Response) afterRead(err error, last bool) error {
	switch {
	case r.in.Received():
		r.settle(last)
	case err != nil && r.in.Err() != nil:
		op := "read"
		if e := r.causeOf(err); e != err {
			op, err = "send", e
		}
		err = r.wrap(op, err)
		r.finish(false)
	}
	return err
}

// settle gives the socket back once the response has been received and the request sent; if
// last is set, it does so whether or not the request was sent.
func (r *Response) settle(last bool) {
	if r.conn == nil || !r.in.Received() {
		return
	}
	if s := r.sender; s != nil && r.keep && !last && s.phase.Load() < over {
		return
	}
	if r.keep {
		r.stopSending(true)
	}
	r.finish(r.keep && r.in.Beyond() == 0)
}

// Close ends the response: later reads fail with ErrAborted, unless all was read. If at
// most Limits.DrainBytes are unread and all of them have been received already, they are
// dropped and the socket is kept; otherwise the socket is closed. Close does not wait for
// the server. Closing twice is harmless.
func (r *Response) Close() error {
	r.reset()
	return nil
}

// reset ends the previous use of the response.
func (r *Response) reset() {
	if r.sourceOf != nil {
		r.releaseSource()
	}
	if r.open {
		r.unread = !r.in.Done()
	}
	if r.conn != nil {
		if r.sender != nil {
			r.stopSending(r.open && r.keep && r.in.Received())
		}
		if r.open && r.sent {
			r.in.Drain(r.run.drain, false)
		}
		r.finish(r.open && r.sent && r.keep && r.in.Received() && r.in.Beyond() == 0)
	}
	if r.open {
		r.in.Discard()
		r.open = false
	}
}

// receive waits for the head of the response and sets up its body.
func (r *Response) receive(q *Request) error {
	if r.broken != nil {
		return r.broken
	}
	for !r.early {
		if err := r.nextHead(); err != nil {
			return err
		}
		if !r.machine.Interim() {
			break
		}
		q.On.interim(r)
	}
	r.open = true
	if r.machine.Tunnel() {
		return r.tunnel(q)
	}
	r.conn.used, r.secure = true, r.conn.secure
	if r.sender != nil && r.machine.Status() >= 300 {
		r.sender.refuse()
	}
	asked := q.out.Planned().KeepAlive || r.wrote > 0 && q.target.keepAlive // fastCall makes no plan
	r.keep = r.machine.KeepAlive() && asked && (r.sent || r.sender != nil)
	r.conn.ReadTimeout = r.run.times.read
	r.in.Settle()
	r.settle(false)
	if q.On.Response != nil {
		q.On.Response(r)
	}
	return nil
}

// nextHead waits for a head. The read timeout bounds the wait for its first byte and each
// wait for more. No further wait begins once that time has passed since the first byte, so a
// head takes at most twice the timeout, in however many pieces it arrives.
func (r *Response) nextHead() error {
	for began := int64(0); ; {
		if r.in.Unread() > 0 || r.in.Ended() {
			if !r.begun && r.in.Unread() > 0 {
				r.begun = true
				r.trace.firstByte()
			}
			r.last.Forget()
			ev, err := r.in.Next()
			switch {
			case err != nil:
				return err
			case ev == h1.HeadDone:
				return nil
			case ev == h1.End:
				return ErrServerClosed
			}
		}
		if limit := int64(r.conn.ReadTimeout); r.in.Unread() > 0 && limit > 0 {
			switch now := loop.Millis(); {
			case began == 0:
				began = now
			case now-began > limit:
				return loop.ErrTimeout
			}
		}
		if err := r.in.Await(); err != nil {
			return err
		}
	}
}

// finish gives the socket back, to be kept or closed.
func (r *Response) finish(keep bool) {
	c := r.conn
	if c == nil {
		return
	}
	r.stopSending(false)
	r.conn = nil
	keep = c.unwatch(r.stop) && keep && r.sent && !c.detached.Load()
	r.stop = nil
	r.in.Sever(ErrAborted)
	r.release(c, keep && c.NoInputNoted(c.peek[:]))
	if r.over != nil {
		r.over(nil)
		r.over = nil
	}
}

// release gives up a socket that the call had taken.
func (r *Response) release(c *conn, keep bool) {
	w := r.here()
	if c.pooled {
		w = nil
	}
	if w != nil && r.follows {
		c.Follow(false)
	}
	c.giveBack(w, keep)
}

var errRetired = errors.New("the origin was retired")

var (
	_ io.Reader   = (*Response)(nil)
	_ io.WriterTo = (*Response)(nil)
	_ io.Closer   = (*Response)(nil)
)
