// What a panic of our own on a worker says.

package loop

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func breakSomething(*Worker) { panic(io.ErrUnexpectedEOF) }

func TestWorkerPanicShowsTheWorkersStack(t *testing.T) {
	w := newWorker(&Loop{})
	w.fn = breakSomething
	defer func() {
		err, _ := recover().(error)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "breakSomething") {
			t.Errorf("the root is told %v", err)
		}
	}()
	w.next()
}
