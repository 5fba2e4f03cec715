//go:build (amd64 || arm64) && !purego

// Whether a goroutine waits, read out of its descriptor. Where in it that stands is found
// out when the program starts: it is the one half of a word that holds one number while
// a goroutine runs, before and after, and another one while it waits.

package sys

import (
	"runtime"
	"unsafe"
)

// The status of a goroutine that runs, and of one that waits, as they have been since
// Go 1.2; and the bit that the collector sets while it looks at its stack.
const (
	gRunning = 2
	gWaiting = 4
	gScan    = 0x1000
)

// statusAt is the offset of the status, 0 when it was not found.
var statusAt = findStatus()

// Waiting tells whether the goroutine whose G was g waits for another, for a timer or for
// something to read or write; false where nobody can know. To the runtime one waits as well that
// works for the collector when it allocates, and one whose coroutine (iter.Pull) runs. It is a look
// from outside: any thread may take it, also one that has no part in the scheduler. Descriptors
// are used again, and never given back: of a goroutine that has ended it tells how another is.
//
//go:nosplit
//go:norace
func Waiting(g uintptr) bool {
	return statusAt != 0 && g != 0 && gHalf(g, statusAt)&^gScan == gWaiting
}

// gHalf returns half a word of a descriptor.
//
//go:nosplit
//go:norace
func gHalf(g, offset uintptr) uint32 {
	at := g + offset
	// SAFETY: descriptors are never freed, and offset lies within them.
	return **(**uint32)(unsafe.Pointer(&at))
}

func findStatus() uintptr {
	const half = 4
	var candidates [2 * gWords]bool
	for round := range 3 {
		who, on, ran := make(chan uintptr), make(chan struct{}), make(chan [2 * gWords]bool)
		go func() {
			g := G()
			var is [2 * gWords]bool
			for i := range is {
				is[i] = gHalf(g, uintptr(i)*half) == gRunning
			}
			who <- g
			<-on
			for i := range is {
				is[i] = is[i] && gHalf(g, uintptr(i)*half) == gRunning
			}
			ran <- is
		}()
		g := <-who
		var waits [2 * gWords]bool
		for tries, any := 0, false; !any && tries < 1000; tries++ {
			runtime.Gosched() // until it waits
			for i := range waits {
				waits[i] = gHalf(g, uintptr(i)*half)&^gScan == gWaiting
				any = any || waits[i] && (round == 0 || candidates[i])
			}
		}
		close(on)
		for i, is := range <-ran {
			candidates[i] = is && waits[i] && (round == 0 || candidates[i])
		}
	}
	at, n := uintptr(0), 0
	for i, is := range candidates {
		if is {
			at, n = uintptr(i)*half, n+1
		}
	}
	if n != 1 {
		return 0
	}
	return at
}
