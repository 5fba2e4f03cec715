//go:build (amd64 || arm64) && !purego

// Whether a goroutine has locked its OS thread, read from its descriptor. The offset is found out
// when the program starts: it is that of the only word that is zero before LockOSThread and after
// UnlockOSThread, and not in between.

package sys

import "runtime"

// gWords is how many words of a descriptor are examined: fewer than it has.
const gWords = 48

// lockedAt is the offset of the word, 0 when it was not found.
var lockedAt = findLocked()

// gWord returns a word of the running goroutine's descriptor. offset must lie within
// the descriptor.
func gWord(offset uintptr) uintptr

// Locked reports whether the calling goroutine has locked its OS thread. It does not
// allocate.
func Locked() bool {
	if lockedAt == 0 {
		return lockedSlowly()
	}
	return gWord(lockedAt) != 0
}

// MaybeLocked is Locked in a few instructions: when it reports false, that is certain.
func MaybeLocked() bool {
	return gWord(lockedAt) != 0 // offset 0, when none was found: the first word, which is never 0
}

func findLocked() uintptr {
	const word = 8
	var candidates [gWords]bool
	for round := range 3 {
		done := make(chan [gWords]bool)
		go func() {
			var is [gWords]bool
			var before, between [gWords]uintptr
			for i := range before {
				before[i] = gWord(uintptr(i) * word)
			}
			runtime.LockOSThread()
			for i := range between {
				between[i] = gWord(uintptr(i) * word)
			}
			truly := lockedSlowly()
			runtime.UnlockOSThread()
			for i := range is {
				is[i] = truly && before[i] == 0 && between[i] != 0 && gWord(uintptr(i)*word) == 0
			}
			done <- is
		}()
		for i, is := range <-done {
			candidates[i] = is && (round == 0 || candidates[i])
		}
	}
	return only(candidates[:], word)
}

// only returns the offset of the only candidate, of those that lie size bytes apart; 0 when there
// is none, or more than one.
func only(candidates []bool, size uintptr) (at uintptr) {
	n := 0
	for i, is := range candidates {
		if is {
			at, n = uintptr(i)*size, n+1
		}
	}
	if n != 1 {
		return 0
	}
	return at
}
