// The http.ResponseWriter. Body bytes are collected until they fill a buffer, so that a short
// response is sent whole and with its length, and a long one in few pieces.

package nethttp

import (
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/gale-http/gale/engine"
)

const (
	bufferSize = 4 << 10  // body bytes collected before they are sent
	copySize   = 32 << 10 // size of the pieces that are copied
	sniffSize  = 512      // what http.DetectContentType looks at
)

// A response has a buffer from its first body byte until its handler returns; a copy buffer is held
// for one call.
var (
	buffers     = sync.Pool{New: func() any { return new([bufferSize]byte) }}
	copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}
)

// response is an http.ResponseWriter. Like net/http's, it is for one goroutine at a time; unlike
// there, a lock makes a late call harmless.
type response struct {
	mu     sync.Mutex
	out    *engine.Response // nil once the handler has returned
	r      *http.Request
	body   *body
	header http.Header
	status int // 0: the head is not fixed yet

	buf      *[bufferSize]byte
	buffered int
	length   int64 // the declared length; -1: none
	written  int64

	announced map[string]bool // trailers that the Trailer field names
	switching []string        // the fields of a 101, as name, value, name, value
	control   control
	headSent  bool // the engine has the whole head
	chunked   bool // Transfer-Encoding was set
	typed     bool // Content-Type or the like was set: the type is not to be detected
	trailing  bool // there will be trailers
	duplex    bool // the handler answers while it reads
	hijacked  bool
}

func (w *response) init(r *http.Request, b *body, req *engine.Request, res *engine.Response) {
	w.r, w.body, w.out, w.length = r, b, res, -1
	w.control.req, w.control.res = req, res
}

// usable returns nil, or why the response cannot be written.
func (w *response) usable() error {
	switch {
	case w.hijacked:
		return http.ErrHijacked
	case w.out == nil:
		return errOver
	}
	return nil
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader implements http.ResponseWriter. A 1xx status other than 101 is sent at once, with the
// fields set so far.
func (w *response) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if status < 100 || status > 999 {
		panic("gale: WriteHeader with status " + strconv.Itoa(status))
	}
	switch {
	case w.out == nil || w.status != 0:
	case status >= 200 || status == http.StatusSwitchingProtocols:
		w.fixHead(status)
	case status == http.StatusContinue:
		_ = w.out.WriteContinue()
	default:
		_ = w.out.WriteInterim(status, w.interimFields()...)
	}
}

// bodyAllowed reports whether a response with the status may have a body.
func (w *response) bodyAllowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.admit(len(p)); err != nil {
		return 0, err
	}
	n := 0
	for len(p)-n > bufferSize-w.buffered {
		if w.buffered == 0 {
			return len(p), w.send(p[n:])
		}
		n += w.fill(copy(w.buf[w.buffered:], p[n:]))
		if err := w.sendBuffer(); err != nil {
			return n, err
		}
	}
	return n + w.fill(copy(w.buf[w.buffered:], p[n:])), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.admit(len(s)); err != nil {
		return 0, err
	}
	n := 0
	for len(s)-n > bufferSize-w.buffered {
		n += w.fill(copy(w.buf[w.buffered:], s[n:]))
		if err := w.sendBuffer(); err != nil {
			return n, err
		}
	}
	return n + w.fill(copy(w.buf[w.buffered:], s[n:])), nil
}

// admit returns nil if n more body bytes may be written, and makes sure that there is a buffer.
func (w *response) admit(n int) error {
	if err := w.usable(); err != nil {
		return err
	}
	if w.status == 0 {
		w.fixHead(http.StatusOK)
	}
	switch {
	case n == 0:
	case !w.bodyAllowed():
		return http.ErrBodyNotAllowed
	}
	// As in net/http, after a piece that was too long nothing else fits either.
	if w.written += int64(n); w.length >= 0 && w.written > w.length {
		return http.ErrContentLength
	}
	if w.buf == nil {
		w.buf = buffers.Get().(*[bufferSize]byte)
	}
	return nil
}

// fill notes that n bytes were put into the buffer.
func (w *response) fill(n int) int {
	w.buffered += n
	return n
}

// sendBuffer sends what is in the buffer.
func (w *response) sendBuffer() error {
	n := w.buffered
	w.buffered = 0
	return w.send(w.buf[:n])
}

// send sends p, preceded by the head if that has not left.
func (w *response) send(p []byte) error {
	w.sendHead(p, false)
	_, err := w.out.Write(p)
	return err
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what has been written so far (http.ResponseController).
func (w *response) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.usable(); err != nil {
		return err
	}
	return w.flush()
}

func (w *response) flush() error {
	switch {
	case w.status == 0:
		w.fixHead(http.StatusOK)
	case w.buffered > 0:
		return w.sendBuffer()
	}
	w.sendHead(nil, false)
	return w.out.Flush()
}

// finish ends the response of a handler that has returned.
func (w *response) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.out == nil {
		return
	}
	if w.status == 0 {
		w.fixHead(http.StatusOK)
	}
	w.trailing = w.trailing || hasTrailers(w.header) && w.r.Method != http.MethodHead
	var rest []byte
	if w.buf != nil {
		rest = w.buf[:w.buffered]
	}
	if w.trailing && !w.headSent {
		// A response sent whole would have a length, and so no trailers.
		if w.flush() != nil {
			return
		}
		rest = nil
	}
	w.sendHead(rest, true)
	w.addTrailers()
	_ = w.out.End(rest)
	if w.r.MultipartForm != nil {
		_ = w.r.MultipartForm.RemoveAll()
	}
}

// release ends the use of the engine's response and returns the buffer to its pool.
func (w *response) release() {
	w.control.release()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = nil
	if w.buf != nil {
		buffers.Put(w.buf)
		w.buf = nil
	}
}

var (
	_ http.ResponseWriter = (*response)(nil)
	_ http.Flusher        = (*response)(nil)
	_ http.Hijacker       = (*response)(nil)
	_ io.ReaderFrom       = (*response)(nil)
	_ io.StringWriter     = (*response)(nil)
)
