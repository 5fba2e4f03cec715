//go:build !purego && (amd64 || arm64)

package bytesparse

import "unsafe"

// Words are loaded without bounds checks: the walk checks once per line where the
// compiler would check six times. The counterpart in load.go checks each load; every
// test runs with both.

// load64 returns the eight bytes of b from index i on, in little-endian order.
// The caller guarantees that 0 ≤ i and i+8 ≤ len(b).
func load64(b []byte, i int) uint64 {
	// SAFETY: by the contract above the eight bytes lie within b. Both
	// architectures are little-endian and load unaligned words.
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// store64 stores x at b[i:i+8] in little-endian order. The caller guarantees that
// 0 ≤ i and i+8 ≤ len(b).
func store64(b []byte, i int, x uint64) {
	// SAFETY: as in load64.
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = x
}

// skipLong is skip, for strings as well.
func skipLong[T string | []byte](b T) int {
	// SAFETY: strings and slices both begin with the pointer to their len(b) bytes;
	// nothing is retained or written.
	return skip(unsafe.Slice(*(**byte)(unsafe.Pointer(&b)), len(b)))
}
