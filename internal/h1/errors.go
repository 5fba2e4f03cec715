// Errors. One type for all; what needs no offset is a package-level value, so
// that hostile peers cannot make us allocate and callers can compare with ==.

package h1

import (
	"errors"
	"strconv"

	"github.com/gale-http/gale/bytesparse"
)

// Error is why a peer's message was refused. After it the machine parses
// nothing more on that connection (ErrExpectation is the one exception).
type Error struct {
	Status int    // what a server answers before it closes; without meaning to a client
	Msg    string // what is wrong, in a few words
	Offset int    // byte of the data offered at which it showed, -1 when it is about the whole

	cause error
}

// Error returns the message, with the offset when there is one.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return "http: " + e.Msg
	}
	return "http: " + e.Msg + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap returns the parser's own error (*bytesparse.Error), or the error that this one is a kind
// of, where there is one.
func (e *Error) Unwrap() error { return e.cause }

func newError(status int, msg string) *Error { return &Error{Status: status, Msg: msg, Offset: -1} }

// Errors that callers may want to tell apart. All are *Error.
var (
	// ErrUnexpectedEOF: the connection ended inside a message (RFC 9112 §8). A server need not answer it.
	ErrUnexpectedEOF error = newError(400, "connection closed inside a message")
	// ErrNoCloseNotify: the message was to end with the connection, which ended without a
	// close_notify (Truncated). It is an ErrUnexpectedEOF.
	ErrNoCloseNotify error = &Error{Status: 400, Offset: -1, cause: ErrUnexpectedEOF,
		Msg: "connection closed without close_notify, which would have ended the message"}
	// ErrHeadTooLarge: the head outgrew Limits.HeadBytes.
	ErrHeadTooLarge error = newError(431, "head too large")
	// ErrTooManyFields: more field lines than Limits.Parse.Fields.
	ErrTooManyFields error = newError(431, "too many fields")
	// ErrTrailersTooLarge: the trailer section outgrew Limits.TrailerBytes.
	ErrTrailersTooLarge error = newError(431, "trailers too large")
	// ErrTargetTooLong: the request target outgrew Limits.Parse.Target, or did not fit a head at all.
	ErrTargetTooLong error = newError(414, "request target too long")
	// ErrBodyTooLarge: the body outgrew Limits.BodyBytes, or says that it will.
	ErrBodyTooLarge error = newError(413, "body too large")
	// ErrExpectation: an expectation other than 100-continue (RFC 9110 §10.1.1). NextHead returns it WITH
	// HeadDone and n > 0: the message is sound, its body can be read or drained, and the connection may go on.
	ErrExpectation error = newError(417, "unknown expectation")
	// ErrBodyUnread: NextHead was called before the body of the last message was read to its End. The bytes
	// offered belong to that body; parsing them as a head is how requests are smuggled.
	ErrBodyUnread error = newError(500, "the body of the last message was not read")
	// ErrFailed: the connection has failed before; its bytes have no known meaning any more.
	ErrFailed error = newError(400, "connection already failed")
	// ErrTooManyInterim: a server sent more than 64 interim responses to one request.
	ErrTooManyInterim error = newError(502, "too many interim responses")
)

// Verdicts on messages that break a rule, which the text names.
var (
	errEmptyLines   error = newError(400, "more than one empty line before a request")
	errLeadingByte  error = newError(400, "line break where a message must begin")
	errStrayCR      error = newError(400, "CR without LF")
	errBadHead      error = newError(400, "malformed head")
	errTargetForm   error = newError(400, "request target does not suit the method")
	errAuthority    error = newError(400, "invalid authority in the request target")
	errNoHost       error = newError(400, "missing Host")
	errHosts        error = newError(400, "more than one Host")
	errHost         error = newError(400, "invalid Host")
	errBothLengths  error = newError(400, "Transfer-Encoding with Content-Length")
	errCoding10     error = newError(400, "Transfer-Encoding in HTTP/1.0")
	errCoding       error = newError(400, "malformed Transfer-Encoding")
	errUnknownCode  error = newError(501, "unknown transfer coding")
	errLengths      error = newError(400, "more than one Content-Length")
	errLength       error = newError(400, "invalid Content-Length")
	errConnectBody  error = newError(400, "CONNECT with a body")
	errChunkLong    error = newError(400, "chunk-size line too long")
	errChunkEnd     error = newError(400, "missing CRLF behind a chunk")
	errChunkTooMuch error = newError(400, "too much chunk framing for too little data")
)

// fromParser turns an error of bytesparse into ours: it knows what is wrong,
// we know what to answer.
func fromParser(err error) error {
	var pe *bytesparse.Error
	if !errors.As(err, &pe) {
		return errBadHead
	}
	switch pe.Reason {
	case bytesparse.ReasonTooManyFields:
		return ErrTooManyFields
	case bytesparse.ReasonTargetTooLong:
		return ErrTargetTooLong
	case bytesparse.ReasonChunkTooLong:
		return errChunkLong
	case bytesparse.ReasonChunkEnd:
		return errChunkEnd
	case bytesparse.ReasonChunkOverhead:
		return errChunkTooMuch
	case bytesparse.ReasonBodyTooLong:
		return ErrBodyTooLarge
	case bytesparse.ReasonVersion:
		return &Error{Status: 505, Msg: pe.Reason.String(), Offset: pe.Offset, cause: err}
	}
	return &Error{Status: 400, Msg: pe.Reason.String(), Offset: pe.Offset, cause: err}
}
