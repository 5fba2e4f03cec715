// Errors that handlers may want to tell apart, and the answers to what is not a valid request.

package engine

import (
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/writer"
)

// Errors of waits in Request.Read and in the methods of Response that send. After ErrTimeout or
// ErrClosed the connection is of no further use, and will be closed.
var (
	ErrTimeout = loop.ErrTimeout // the peer took longer than Timeouts, SetTimeout or a deadline allow
	ErrClosed  = loop.ErrClosed  // the server is closing
	ErrBusy    = loop.ErrBusy    // two goroutines read, or write, at the same time
)

var (
	errHeadTimeout error = &h1.Error{Status: 408, Msg: "the request head took too long", Offset: -1}
	errBodyTimeout error = &h1.Error{Status: 408, Msg: "the request body took too long", Offset: -1}
)

// statusOf returns the status that err asks for; 0 when err is not the client's fault.
func statusOf(err error) int {
	if bad, ok := err.(*h1.Error); ok {
		return bad.Status
	}
	return 0
}

// errorResponse returns a complete response without a body that ends the connection.
func errorResponse(unix int64, status int) []byte {
	var date writer.Date
	date.Update(unix)
	b := date.Append(writer.AppendStatusLine(nil, status, ""))
	return append(b, "Content-Length: 0\r\nConnection: close\r\n\r\n"...)
}
