// Package pool recycles byte buffers, so that a server at a steady load allocates
// nothing.
//
// It has three kinds of pool, which differ in who may use them:
//
//   - [Local]: the free lists of one event loop. It uses no atomics and no lock; only
//     the goroutine that holds the loop may call it.
//   - [Shared]: where the loops of a server put surplus buffers and refill from, and
//     what handlers use that have lost their loop. It is lock-free, for any goroutine.
//   - [Body]: growable buffers for bodies of unknown size.
//
// Local and Shared hand out buffers of eight sizes, 512 bytes to 64 KiB, each
// twice the one before. [Stack] is the lock-free index stack that Shared is built on;
// it is exported because idle connections are pooled with it as well.
//
// Ownership is the same everywhere: what Get returns belongs to the caller
// until Put (or Release), and no longer. Built with -tags galedebug, the package fills
// released memory with a pattern; a buffer that was written after its release panics
// when it is next handed out, and a second release panics at once (see [Debug]).
package pool

// The size classes, and the arithmetic between a size and its class. A buffer's
// capacity alone determines its class, so buffers carry no header and Put needs
// nothing but the slice.

import "math/bits"

const (
	minShift = 9
	maxShift = 16

	// MinSize is the smallest buffer, in bytes.
	MinSize = 1 << minShift
	// MaxSize is the largest buffer that is pooled, in bytes.
	MaxSize = 1 << maxShift
	// Classes is the number of sizes: MinSize, 2*MinSize, … MaxSize.
	Classes = maxShift - minShift + 1

	// largeUnit is the unit to which sizes beyond MaxSize are rounded up: the runtime
	// allocates large objects in pages of this size, so the rest would be wasted.
	largeUnit = 8 << 10
)

// classFor returns the smallest class whose buffers hold size bytes.
// size must not exceed MaxSize; sizes below one count as one.
func classFor(size int) int {
	return bits.Len(uint(max(size, 1)-1) >> minShift)
}

// classOf returns the class of a buffer by its capacity, or -1 when no class
// has that size.
func classOf(capacity int) int {
	if capacity < MinSize || capacity > MaxSize || capacity&(capacity-1) != 0 {
		return -1
	}
	return bits.TrailingZeros(uint(capacity)) - minShift
}

// classSize returns the bytes in a buffer of class c.
func classSize(c int) int { return MinSize << c }

// makeLarge allocates a buffer beyond MaxSize, rounded up to whole pages.
func makeLarge(size int) []byte {
	if rounded := (size + largeUnit - 1) &^ (largeUnit - 1); rounded > size {
		size = rounded // unless the sum overflowed: then make reports it
	}
	return make([]byte, size)
}
