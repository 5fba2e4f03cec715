// Whether a goroutine has locked its OS thread. If so, a coroutine must not be switched away from,
// or the runtime ends the process; and there is no public function that tells.

package sys

import (
	"bytes"
	"runtime"
	"sync"
)

// lines are buffers for the first line of a stack trace; a local array would escape to the heap.
var lines = sync.Pool{New: func() any { return new([96]byte) }}

// lockedSlowly reads it from the first line of the goroutine's stack trace.
func lockedSlowly() bool {
	line := lines.Get().(*[96]byte)
	defer lines.Put(line)
	head, _, _ := bytes.Cut(line[:runtime.Stack(line[:], false)], []byte("\n"))
	return bytes.Contains(head, []byte("locked to thread"))
}

// UnlockThread undoes every LockOSThread of the calling goroutine.
func UnlockThread() {
	for Locked() {
		runtime.UnlockOSThread()
	}
}
