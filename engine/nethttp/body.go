// The body of a request, for as long as the handler runs and no longer: whoever
// still reads then, such as an http.Transport that sends it on, gets an error and
// not another request's bytes.

package nethttp

import (
	"io"
	"net/http"
	"net/textproto"
	"sync"
	"time"

	"github.com/gale-http/gale/engine"
)

// body is an http.Request's Body. It may be used by any goroutine.
type body struct {
	mu  sync.Mutex
	src *engine.Request // nil once the handler has returned
	r   *http.Request   // gets the trailers; nil when there is no body

	expects bool // the client waits for a 100 before it sends
	begun   bool
	closed  bool
	sawEnd  bool
}

func (b *body) init(req *engine.Request, r *http.Request) {
	b.src, b.r, b.expects = req, r, r.Header["Expect"] != nil
}

// Read reads the body. At its end the request has its trailers.
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

// Close ends the reading. What is left is dropped behind the answer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// maxUnread is how much of a body of unknown length is read on for a handler that
// has left it; net/http has the same.
const maxUnread = 256 << 10

// settled tells, when the head of the answer leaves, whether the connection can go
// on behind it: the body must have an end that is near. With a length the engine
// knows that, and whether a client that waits for a 100 will send its body nobody
// does; else, for a handler that has left it, the body is read on.
func (b *body) settled(left bool) bool {
	if b.r == nil || b.r.ContentLength >= 0 {
		return true
	}
	if !b.mu.TryLock() {
		return false // somebody reads, and will be stopped
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

// release ends the use of the engine's request. Whoever reads at this moment is
// stopped: what it waits for may never come.
func (b *body) release() {
	if !b.mu.TryLock() {
		b.src.SetReadDeadline(past)
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.src = nil
}

var past = time.Unix(1, 0)
