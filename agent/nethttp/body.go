// Response bodies in the form that net/http expects.

package nethttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"sync"

	"github.com/gale-http/gale/agent"
)

// body is the body of a response. One goroutine may Close it while another reads.
type body struct {
	stop context.CancelFunc
	back *sync.Pool
	out  *http.Response

	mu sync.Mutex
	x  *exchange // nil once closed
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.x == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.x.res.Read(p)
	switch {
	case err == io.EOF:
		b.trailers()
		b.stop()
	case errors.Is(err, agent.ErrNoCloseNotify):
		err = fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err) // net/http accepts this as the end
	case errors.Is(err, agent.ErrUnexpectedEOF):
		err = io.ErrUnexpectedEOF // callers of net/http check for it
	case err != nil:
		err = unwrapContext(b.out.Request.Context(), err)
	}
	return n, err
}

// trailers copies the trailers received after the body.
func (b *body) trailers() {
	for name, value := range b.x.res.RawTrailers() {
		if b.out.Trailer == nil {
			b.out.Trailer = make(http.Header)
		}
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		b.out.Trailer[key] = append(b.out.Trailer[key], string(value))
	}
}

// Close implements io.Closer. It ends a Read in progress.
func (b *body) Close() error {
	b.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.x == nil {
		return nil
	}
	err := b.x.res.Close()
	b.back.Put(b.x)
	b.x = nil
	return err
}

// upgraded is the body of a response that switched protocols: an io.ReadWriteCloser.
type upgraded struct {
	net.Conn
	head []byte
}

// Read implements io.Reader.
func (u *upgraded) Read(p []byte) (int, error) {
	if len(u.head) > 0 {
		n := copy(p, u.head)
		u.head = u.head[n:]
		return n, nil
	}
	return u.Conn.Read(p)
}
