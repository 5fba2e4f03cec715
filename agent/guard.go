// User code that the agent calls on its own goroutines: Agent.Dial, the functions of a
// tls.Config, traces, a Source, a net.Conn. If it panics or calls runtime.Goexit, the call that
// it was called for fails, and nothing else.

package agent

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/gale-http/gale/bytesparse"
)

// PanicError is the cause of an *Error when user code has panicked on one of the agent's
// goroutines.
type PanicError struct {
	In    string // what the agent was doing: "Agent.Dial", "the TLS handshake", "sending the body" and so on
	At    string // where the panic was: "function (file:line)"
	Value any    // what panic was called with
	Stack []byte // of the goroutine, as debug.Stack formats it; it is not part of Error's text
}

// Error returns one line: where the panic was, and its value.
func (e *PanicError) Error() string {
	value := fmt.Sprint(e.Value)
	if bytesparse.IndexControl(value) >= 0 {
		value = strconv.Quote(value)
	}
	return "panic in " + e.In + ": " + value + ", at " + e.At
}

// Unwrap returns the value of the panic if that is an error, such as a runtime.Error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

var errExited = errors.New("runtime.Goexit was called")

// guarded calls fn, which is part of doing what in says, and turns a panic into a *PanicError.
// If fn calls runtime.Goexit, guarded does not return, but calls unwound on the exiting
// goroutine; unwound must not wait.
func guarded(in string, fn func() error, unwound func(error)) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &PanicError{in, panicPlace(), v, debug.Stack()}
			return
		}
		unwound(fmt.Errorf("%w in %s", errExited, in))
	}()
	err = fn()
	returned = true
	return err
}

// panicPlace returns the innermost frame below the panic that is not the runtime's. A deferred
// function that has recovered the panic calls it.
func panicPlace() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for below := false; ; {
		f, more := frames.Next()
		if below && !strings.HasPrefix(f.Function, "runtime.") || !more {
			return f.Function + " (" + filepath.Base(f.File) + ":" + strconv.Itoa(f.Line) + ")"
		}
		below = below || f.Function == "runtime.gopanic"
	}
}
