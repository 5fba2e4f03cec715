// Files as bodies, and the sources of io.Copy.

package engine

import (
	"io"
	"os"

	"github.com/gale-http/gale/internal/exchange"
)

// ErrFileRange is returned by SendFile for bytes that the file does not have.
var ErrFileRange = exchange.ErrFileRange

// SendFile sends length bytes of f, starting at offset, as a piece of the body, together with the
// head if that has not been sent; with a negative length, everything from offset on. It waits while
// the peer is slow. If neither a Content-Length nor a Transfer-Encoding is set, these bytes are
// declared to be the whole body, which then takes no more. It returns how many bytes were sent, or
// dropped where the response has no body (to HEAD, with 204 or 304).
//
// f must be a regular file. Its own position is not moved. It must stay open, and must not shrink,
// until SendFile returns: if it shrinks, the response is cut. Bytes that it does not have are
// ErrFileRange, and nothing is sent. On a plain socket the kernel sends the bytes from the page
// cache, and SendFile does not allocate; over TLS, and with the portable driver, they are copied.
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

// ReadFrom sends all of src as pieces of the body, each as Write does; io.Copy to a response uses
// it and needs no buffer of its own. An *os.File that is a regular file, or an io.LimitedReader of
// one, with more than 4 KiB to send, is sent from its position on as by SendFile, chunked unless a
// Content-Length is set. It returns how many bytes it has taken from src. io.ReaderFrom.
func (r *Response) ReadFrom(src io.Reader) (int64, error) {
	r.x.check("ReadFrom")
	if !r.x.mine() {
		return copyElsewhere(r.Write, src.Read)
	}
	return r.out.ReadFrom(src)
}

var _ io.ReaderFrom = (*Response)(nil)
