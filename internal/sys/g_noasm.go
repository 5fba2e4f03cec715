//go:build (!amd64 && !arm64) || purego

// What no assembly may find out here. The identity of a goroutine is the number that the
// runtime gives it, out of the first line of its stack's description.

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

// FastG tells whether G is as cheap as a call.
const FastG = false

// Locked tells whether the calling goroutine has locked its OS thread. It takes
// microseconds here; it does not allocate.
func Locked() bool { return lockedSlowly() }

// MaybeLocked is Locked where that is fast, and leaves it to that here.
func MaybeLocked() bool { return true }

// Waiting tells of no goroutine that it waits: nobody can know that here.
func Waiting(uintptr) bool { return false }

// Constant returns 0: nobody knows here which strings are constants of the program.
func Constant(string) uintptr { return 0 }
