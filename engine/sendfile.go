// Files as bodies, and sources that io.Copy has.

package engine

import (
	"io"
	"os"

	"github.com/gale-http/gale/internal/exchange"
)

// ErrFileRange is what SendFile says of bytes that a file does not have.
var ErrFileRange = exchange.ErrFileRange

// SendFile sends length bytes of f, from offset on, as a piece of the body, together
// with the head if that was not sent, and waits while the peer is slow; with a
// negative length, everything from offset on. When neither a Content-Length nor a
// Transfer-Encoding is set, the bytes are declared as the whole body: it takes no
// more. On a plain socket the kernel sends them from the file's pages; over TLS, and
// with the portable driver, they are copied. f is a regular file, its own position
// is not moved, and it must stay open and as long as it is until SendFile returns:
// when it shrinks, the answer is cut. Bytes that it does not have are ErrFileRange,
// and nothing is sent. It returns how many bytes were sent, or dropped where the
// answer has no body (to HEAD, with 204 or 304). It does not allocate where the
// kernel sends.
func (r *Response) SendFile(f *os.File, offset, length int64) (int64, error) {
	r.x.check("SendFile")
	if !r.x.mine() {
		var sent int64
		err := r.x.doElsewhere(func() (err error) {
			sent, err = r.out.SendFile(f, offset, length)
			return err
		})
		return sent, err
	}
	return r.out.SendFile(f, offset, length)
}

// ReadFrom sends all that src has as pieces of the body, each as Write does; io.Copy
// to a response takes this way and needs no buffer of its own. An *os.File that is a
// regular file, or an io.LimitedReader of one, is sent from its position on as
// SendFile has it, chunked unless a Content-Length is set. It returns how many bytes
// it has taken from src. io.ReaderFrom.
func (r *Response) ReadFrom(src io.Reader) (int64, error) {
	r.x.check("ReadFrom")
	if !r.x.mine() {
		return copyElsewhere(r.Write, src.Read)
	}
	return r.out.ReadFrom(src)
}

var _ io.ReaderFrom = (*Response)(nil)
