// Whether a goroutine has locked its OS thread. A coroutine must not be switched away
// from then, the runtime ends the process; and there is no public call that tells.

package sys

import (
	"bytes"
	"runtime"
	"sync"
)

// lines are buffers for the first line of a stack's description; on the stack they
// would not stay there.
var lines = sync.Pool{New: func() any { return new([96]byte) }}

// lockedSlowly reads it off the first line of the stack's description.
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
