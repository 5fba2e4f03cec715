// Errors of a call: the operation, the origin and the cause.

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

// Error is the failure of a call. Unwrap returns the cause: a context's error, an error of
// this package, a *ProtocolError, or an error of the network.
type Error struct {
	Op     string // the operation: "request", "resolve", "dial", "proxy", "tls", "wait for a socket", "send", "receive", "read"
	Origin string // the origin's name as GetName returns it: host:port:localAddress and so on
	Err    error  // why it failed
}

// Error returns the operation, the origin and the cause, in one line.
func (e *Error) Error() string {
	origin := strings.TrimSuffix(e.Origin, ":")
	if bytesparse.IndexControl(origin) >= 0 {
		origin = strconv.Quote(origin) // keeps it one line
	}
	return "agent: " + e.Op + " " + origin + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the cause is a timeout; Error implements net.Error.
func (e *Error) Timeout() bool {
	return errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded)
}

// Temporary is the same as Timeout; net.Error requires it.
func (e *Error) Temporary() bool { return e.Timeout() }

// ProtocolError reports bytes from a server that are not valid or not safe HTTP (RFC 9112;
// see package bytesparse for the details).
type ProtocolError = h1.Error

// The causes of failed calls, which return them wrapped in an *Error. ErrTrailer and ErrHeadSent,
// when a setter returns them, and ErrEnded, from a ClientRequest, are not wrapped.
var (
	// ErrDestroyed: the agent was destroyed.
	ErrDestroyed = errors.New("the agent was destroyed")
	// ErrAborted: ClientRequest.Abort was called, or Response.Close before all was read.
	ErrAborted = errors.New("the request was aborted")
	// ErrServerClosed: the server closed the connection without a response. The request
	// may have been processed: it was retried only if that was safe.
	ErrServerClosed = errors.New("the server closed the connection without an answer")
	// ErrUnexpectedEOF: the server closed the connection in the middle of a response.
	ErrUnexpectedEOF = h1.ErrUnexpectedEOF
	// ErrNoCloseNotify: the body of a response was delimited by the end of a TLS connection,
	// and that was closed without a close_notify: anyone on the path may have cut it (RFC
	// 9112 §9.8). It is an ErrUnexpectedEOF. The bytes received before were handed out; a
	// caller that knows the server never sends a close_notify may take them for the whole.
	ErrNoCloseNotify = h1.ErrNoCloseNotify
	// ErrTunnel: a CONNECT or an upgrade was accepted, but there is no event function for it.
	ErrTunnel = errors.New("the connection has become a tunnel, and there is no Events.Connect or Events.Upgrade")
	// ErrSwitched: the server accepted an upgrade before the body was sent to its end.
	ErrSwitched = errors.New("the server has switched protocols before it was sent the body")
	// ErrTimeout: the server took longer than Timeouts allow.
	ErrTimeout = loop.ErrTimeout
	// ErrBodyUsed: the request had to be sent again, but its Source cannot be read twice.
	// The error that made this necessary is wrapped with it.
	ErrBodyUsed = errors.New("the body was read and cannot be sent again")
	// ErrSource: Source.Reader failed; errors.As finds its error.
	ErrSource = errors.New("reading the body failed")
	// ErrTooLong and ErrTooShort: more or fewer body bytes than the declared length.
	ErrTooLong  = exchange.ErrTooLong
	ErrTooShort = exchange.ErrTooShort
	// ErrBadLength: the Content-Length field that was set is not a number.
	ErrBadLength = exchange.ErrBadLength
	// ErrTrailer: the field may not be a trailer.
	ErrTrailer = exchange.ErrTrailer
	// ErrHeadSent: the head has been sent and cannot be changed.
	ErrHeadSent = exchange.ErrHeadSent
	// ErrEnded: the request has already been ended.
	ErrEnded = exchange.ErrEnded
)

// The reasons for which a request is rejected before anything is sent.
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
