// Code of the user's that goroutines of the agent call: Agent.Dial, the functions of a
// tls.Config, traces, a Source. It may panic, or call runtime.Goexit: then the call that it
// was for fails, and nothing else does.

package agent

import (
	"errors"
	"fmt"
	"runtime/debug"
)

var errExited = errors.New("runtime.Goexit was called")

// guarded calls fn. A panic is an error. Of runtime.Goexit unwound is told, on the goroutine that is
// ending and so must not wait, and guarded does not return.
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
