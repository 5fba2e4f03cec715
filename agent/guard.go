// User code that the agent calls on its own goroutines: Agent.Dial, the functions of a
// tls.Config, traces, a Source. If it panics or calls runtime.Goexit, the call that it was
// called for fails, and nothing else.

package agent

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var errExited = errors.New("runtime.Goexit was called")

// guarded calls fn and turns a panic into an error. If fn calls runtime.Goexit, guarded does
// not return, but calls unwound on the exiting goroutine; unwound must not wait.
func guarded(fn func() error, unwound func(error)) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
			return
		}
		unwound(errExited)
	}()
	err = fn()
	returned = true
	return err
}
