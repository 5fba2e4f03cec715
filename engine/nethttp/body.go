// The body of a request, readable only while the handler runs: whoever reads later, such as an
// http.Transport that forwards it, gets an error and not the bytes of another request.

package nethttp

import (
	"io"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"github.com/gale-http/gale/engine"
)

// body is an http.Request's Body. Any goroutine may use it.
type body struct {
	mu  sync.Mutex
	src *engine.Request // nil once the handler has returned
	r   *http.Request   // receives the trailers; nil when there is no body

	expects bool // the client waits for a 100 before it sends
	begun   bool
	closed  bool
	sawEnd  bool
}

func (b *body) init(req *engine.Request, r *http.Request) {
	b.src, b.r, b.expects = req, r, r.Header["Expect"] != nil
}

// Read reads the body. At its end it sets the request's Trailer.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.src == nil || b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	b.begun = true
	n, err := b.src.Read(p)
	if err == io.EOF && !b.sawEnd {
		b.sawEnd = true
		b.takeTrailers()
	}
	return n, err
}

func (b *body) takeTrailers() {
	for name, value := range b.src.RawTrailers() {
		if b.r.Trailer == nil {
			b.r.Trailer = make(http.Header)
		}
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		b.r.Trailer[key] = append(b.r.Trailer[key], string(value))
	}
}

// Close ends reading. The rest of the body is drained like that of any unread body.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// maxUnread is how much of an unread body of unknown length is read before the response; net/http
// has the same limit.
const maxUnread = 256 << 10

// allowsKeepAlive reports, when the head of the response is about to leave, whether the connection
// can go on after it: the end of the request's body must be near. For a body of declared length the
// engine decides. Whether a client that waits for a 100 will send its body, nobody knows: that
// counts as yes. Otherwise, once the handler has left the body (left), it is read to its end, within
// maxUnread.
func (b *body) allowsKeepAlive(left bool) bool {
	if b.r == nil || b.r.ContentLength >= 0 {
		return true
	}
	if !b.mu.TryLock() {
		return false // somebody is reading, and will be stopped
	}
	defer b.mu.Unlock()
	if b.sawEnd || !b.begun && b.expects {
		return true
	}
	if !left {
		return false
	}
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for total := 0; total <= maxUnread; {
		n, err := b.src.Read(buf[:])
		if total += n; err != nil {
			return err == io.EOF
		}
	}
	return false
}

// release ends the use of the engine's request. A read in progress is stopped, since what it waits
// for may never come.
func (b *body) release() {
	if !b.mu.TryLock() {
		b.src.SetReadDeadline(past)
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.src = nil
}

var past = time.Unix(1, 0)
