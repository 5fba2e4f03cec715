// Package pool hands out byte buffers and takes them back, so that a server
// at a steady load asks the garbage collector for nothing.
//
// There are three kinds, by who may touch them:
//
//   - [Local]: the free lists of one event loop. No atomics, no lock; only the
//     goroutine that holds the loop may call it.
//   - [Shared]: what the loops of a server spill to and refill from, and what a
//     handler uses that no longer holds its loop. Lock-free, for any goroutine.
//   - [Body]: a growable buffer for a body of unknown size.
//
// Local and Shared deal in buffers of eight sizes, 512 bytes to 64 KiB, each
// twice the one before. [Stack] is the lock-free index stack under Shared; it
// is exported because idle connections are pooled with it as well.
//
// Ownership is the same everywhere: what Get returns belongs to the caller
// until Put (or Release), and not one instruction longer. Built with
// -tags galedebug, released memory is filled with a pattern, a buffer that was
// written after its release panics when it is next handed out, and a second
// release panics at once (see [Debug]).
package pool

// The rule of this file: the size classes, and the arithmetic between a size
// and its class. A buffer's class is told by its capacity alone, so buffers
// carry no header and Put needs nothing but the slice.

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

	// largeUnit is what sizes beyond MaxSize are rounded up to: the runtime
	// allocates large objects in pages of this size, so the rest would be lost.
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
		size = rounded // not when the sum overflowed: let make report it
	}
	return make([]byte, size)
}
