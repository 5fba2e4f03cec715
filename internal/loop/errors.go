// What a panic on a worker turns into, and what the end of TLS.

package loop

import (
	"fmt"
	"io"
)

// errTorn is the end of a connection that TLS has not told before, by a close_notify: crypto/tls
// would take it for that, between two records. Above us it is io.ErrUnexpectedEOF, as it is
// within a record.
var errTorn = fmt.Errorf("gale: the connection was closed without close_notify: %w", io.ErrUnexpectedEOF)

// workerPanic is a panic of our own code on a worker: it ends the process, and says where
// it was.
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
