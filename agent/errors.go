// Errors of a call: what was being done, to whom, and why it failed.

package agent

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Error is why a call failed. Unwrap gives the cause: a context's error, an error of
// this package, a *ProtocolError, or one of the network's.
type Error struct {
	Op     string // what was being done: "request", "resolve", "dial", "proxy", "tls", "wait for a socket", "send", "receive", "read"
	Origin string // host:port:localAddress, or what else GetName gives
	Err    error  // why it failed
}

// Error says what failed, to whom and why.
func (e *Error) Error() string {
	origin := strings.TrimSuffix(e.Origin, ":")
	if bytesparse.IndexControl(origin) >= 0 {
		origin = strconv.Quote(origin) // it is one line
	}
	return "agent: " + e.Op + " " + origin + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout tells whether time ran out; the error is a net.Error then.
func (e *Error) Timeout() bool {
	return errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded)
}

// Temporary is what net.Error wants; it is Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }

// ProtocolError is what a server has sent that is not HTTP, or is not safe (RFC 9112;
// package bytesparse for the details).
type ProtocolError = h1.Error

// Why calls fail. All come wrapped in an *Error.
var (
	// ErrDestroyed: the agent was destroyed.
	ErrDestroyed = errors.New("the agent was destroyed")
	// ErrAborted: ClientRequest.Abort was called, or Response.Close before all was read.
	ErrAborted = errors.New("the request was aborted")
	// ErrServerClosed: the server closed the connection without an answer. The request
	// may have been processed: only what is safe to repeat was repeated.
	ErrServerClosed = errors.New("the server closed the connection without an answer")
	// ErrUnexpectedEOF: the server closed the connection inside an answer.
	ErrUnexpectedEOF = h1.ErrUnexpectedEOF
	// ErrNoCloseNotify: an answer without a length or chunks, whose end is that of the
	// connection, came over TLS, and the connection was closed without a close_notify: anyone
	// on the way may have cut it (RFC 9112 §9.8). It is an ErrUnexpectedEOF. What came was handed
	// out before; who knows that the server never says so may take it for all.
	ErrNoCloseNotify = h1.ErrNoCloseNotify
	// ErrTunnel: a CONNECT or an upgrade was accepted, and nobody listens for it.
	ErrTunnel = errors.New("the connection has become a tunnel, and there is no Events.Connect or Events.Upgrade")
	// ErrSwitched: the server accepted an upgrade and did not take the rest of the body.
	ErrSwitched = errors.New("the server has switched protocols before it was sent the body")
	// ErrTimeout: the server took longer than Timeouts allow.
	ErrTimeout = loop.ErrTimeout
	// ErrBodyUsed: the request would have been sent again, but its Source cannot be read
	// twice. It comes with what has made that necessary.
	ErrBodyUsed = errors.New("the body was read and cannot be sent again")
	// ErrSource: Source.Reader has failed; errors.As finds its error.
	ErrSource = errors.New("reading the body failed")
	// ErrTooLong and ErrTooShort: more or fewer body bytes than the declared length.
	ErrTooLong  = exchange.ErrTooLong
	ErrTooShort = exchange.ErrTooShort
	// ErrBadLength: the Content-Length field that was set is no number.
	ErrBadLength = exchange.ErrBadLength
	// ErrTrailer: a field that may not be a trailer.
	ErrTrailer = exchange.ErrTrailer
	// ErrHeadSent: the head has left, and cannot be changed.
	ErrHeadSent = exchange.ErrHeadSent
	// ErrEnded: the request was ended before.
	ErrEnded = exchange.ErrEnded
)

// What is wrong with a request before anything is sent.
var (
	errURL  = errors.New("the URL must be http or https, with a host, without user data that is not for Auth")
	errHost = errors.New("the host is empty or has bytes that no host can have")
	errPort = errors.New("the port must be 1 to 65535")
	errPath = errors.New("the path must begin with a slash (host:port for CONNECT, or * for OPTIONS)" +
		" and have only bytes that a request target can have")
	errMethod   = errors.New("the method is no token")
	errFamily   = errors.New("the family must be 0, 4 or 6")
	errLocal    = errors.New("the local address is no IP address")
	errOdd      = errors.New("fields come in pairs of name and value")
	errFieldTwo = errors.New("a request has one Host field")
	errField    = errors.New("the Host field has bytes that no host can have")
)
