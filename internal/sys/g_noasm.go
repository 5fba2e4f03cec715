//go:build (!amd64 && !arm64) || purego

// What takes assembly elsewhere. The identity of a goroutine is the number that the runtime gives
// it, read from the first line of its stack trace.

package sys

import "runtime"

// G returns a number of the running goroutine: equal for two calls exactly when
// both were made by the same live goroutine. It takes microseconds here; it does
// not allocate.
func G() uintptr {
	line := lines.Get().(*[96]byte)
	defer lines.Put(line)
	n := runtime.Stack(line[:], false)
	id := uintptr(0)
	for _, c := range line[len("goroutine "):n] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uintptr(c-'0')
	}
	return id
}

// FastG reports whether G is as cheap as a call.
const FastG = false

// Locked reports whether the calling goroutine has locked its OS thread. It takes
// microseconds here; it does not allocate.
func Locked() bool { return lockedSlowly() }

// MaybeLocked is Locked where that is fast; here it is always true, and leaves the question to
// Locked.
func MaybeLocked() bool { return true }

// Waiting reports false for every goroutine: nobody can know that here.
func Waiting(uintptr) bool { return false }

// Constant returns 0 for every string: which ones are constants of the program is not known here.
func Constant(string) uintptr { return 0 }
