// What a panic on a worker turns into, and what the end of a TLS connection without close_notify.

package loop

import (
	"fmt"
	"io"
)

// errTruncated is the end of a TLS connection that no close_notify has announced. It stands for io.EOF,
// which crypto/tls would pass on as an orderly end when it comes between two records. Callers of
// this package get io.ErrUnexpectedEOF, as they do when it comes within a record.
var errTruncated = fmt.Errorf("gale: the connection was closed without close_notify: %w", io.ErrUnexpectedEOF)

// workerPanic is a panic of our own code on a worker: it ends the process, and says where it
// happened.
type workerPanic struct {
	value any
	stack []byte
}

func (p *workerPanic) Error() string {
	return fmt.Sprintf("%v\n\non a worker of an event loop, %s", p.value, p.stack)
}

func (p *workerPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
