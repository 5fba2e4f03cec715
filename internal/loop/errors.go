// What a panic on a worker turns into.

package loop

import "fmt"

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
