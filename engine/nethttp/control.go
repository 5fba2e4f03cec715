// The methods of a response that http.ResponseController, http.Hijacker and the like call, other
// than those that write.

package nethttp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/writer"
)

// EnableFullDuplex declares that the handler reads its request to the end although it answers
// before (http.ResponseController). Reading is possible in any case, but with a body of unknown
// length the connection goes on only after this call.
func (w *response) EnableFullDuplex() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.duplex = true
	return nil
}

// control passes deadlines to the engine without the locks that waiting goroutines hold.
type control struct {
	mu  sync.Mutex
	req *engine.Request // nil once the handler has returned or the connection has been taken over
	res *engine.Response
}

func (c *control) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.req, c.res = nil, nil
}

// SetReadDeadline makes reads of the request's body fail from t on, including one that is waiting
// (http.ResponseController). It holds until the handler returns.
func (w *response) SetReadDeadline(t time.Time) error {
	w.control.mu.Lock()
	defer w.control.mu.Unlock()
	if w.control.req == nil {
		return errOver
	}
	w.control.req.SetReadDeadline(t)
	return nil
}

// SetWriteDeadline makes writes fail from t on, including one that is waiting
// (http.ResponseController). It holds until the handler returns.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.control.mu.Lock()
	defer w.control.mu.Unlock()
	if w.control.res == nil {
		return errOver
	}
	w.control.res.SetWriteDeadline(t)
	return nil
}

// Hijack implements http.Hijacker. The connection is a *engine.Socket; what the client has already
// sent is in the reader's buffer.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.hijacked:
		return nil, nil, http.ErrHijacked
	case w.out == nil:
		return nil, nil, errOver
	}
	var switching []byte
	if w.status == http.StatusSwitchingProtocols {
		switching = w.appendSwitching(nil)
	} else if w.status != 0 {
		if err := w.flush(); err != nil {
			return nil, nil, err
		}
	}
	socket, head, err := w.out.Hijack()
	if err != nil {
		return nil, nil, err
	}
	if _, err := socket.Write(switching); err != nil {
		return nil, nil, errors.Join(err, socket.Close())
	}
	w.hijacked, w.out = true, nil
	w.control.release()
	in := bufio.NewReaderSize(socket, max(bufferSize, len(head)))
	if len(head) > 0 {
		in.Reset(io.MultiReader(bytes.NewReader(head), socket))
		_, _ = in.Peek(len(head)) // callers look at what is buffered
	}
	return socket, bufio.NewReadWriter(in, bufio.NewWriterSize(socket, bufferSize)), nil
}

// appendSwitching appends the head of a 101, with the fields as they were when WriteHeader was
// called. It is the last response in HTTP: the engine no longer owns the connection.
func (w *response) appendSwitching(dst []byte) []byte {
	dst = writer.AppendStatusLine(dst, http.StatusSwitchingProtocols, "")
	for i := 0; i+1 < len(w.switching); i += 2 {
		dst = writer.AppendField(dst, w.switching[i], w.switching[i+1])
	}
	return append(dst, "\r\n"...)
}

// CloseNotify implements http.CloseNotifier, which some frameworks still ask for.
func (w *response) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	context.AfterFunc(w.r.Context(), func() {
		if w.alive() {
			gone <- true
		}
	})
	return gone
}

// alive reports whether the handler has not returned yet and still has the connection.
func (w *response) alive() bool {
	w.control.mu.Lock()
	defer w.control.mu.Unlock()
	return w.control.req != nil
}
