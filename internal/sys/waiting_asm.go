//go:build (amd64 || arm64) && !purego

// Whether a goroutine waits, read from its descriptor. The offset is found out when the program
// starts: it is that of the only half word that holds one number while a goroutine runs, before and
// after, and another one while it waits.

package sys

import (
	"runtime"
	"unsafe"
)

// The status of a goroutine that runs, and of one that waits, unchanged since Go 1.2; and the bit
// that the collector sets while it scans the goroutine's stack.
const (
	gRunning = 2
	gWaiting = 4
	gScan    = 0x1000
)

// statusAt is the offset of the status, 0 when it was not found.
var statusAt = findStatus()

// Waiting reports whether the goroutine whose G was g waits for another, for a timer or for something
// to read or write; it is false where nobody can know. For the runtime a goroutine also waits while
// it works for the collector because it allocates, and while a coroutine of it (iter.Pull) runs;
// both count as waiting here, because what such a coroutine does is to wait, often enough. It looks
// from outside: any thread may call it, even one that has no part in the scheduler. Descriptors are
// reused and never freed: for a goroutine that has ended it reports on another one.
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
	type halves [2 * gWords]bool
	holding := func(g uintptr, status uint32) (is halves) {
		for i := range is {
			is[i] = gHalf(g, uintptr(i)*half)&^gScan == status
		}
		return is
	}
	var candidates halves
	for round := range 3 {
		who, before, on, after := make(chan uintptr, 1), make(chan halves), make(chan struct{}), make(chan halves)
		go func() {
			g := G()
			who <- g
			before <- holding(g, gRunning)
			<-on
			after <- holding(g, gRunning)
		}()
		g, was := <-who, <-before
		var is halves
		for tries, waits := 0, false; !waits && tries < 1000; tries++ {
			runtime.Gosched() // until it waits
			is = holding(g, gWaiting)
			for i := range is {
				is[i] = is[i] && was[i] && (round == 0 || candidates[i])
				waits = waits || is[i]
			}
		}
		close(on)
		again := <-after
		for i := range candidates {
			candidates[i] = is[i] && again[i]
		}
	}
	return only(candidates[:], half)
}
