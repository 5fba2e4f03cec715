//go:build !purego && (amd64 || arm64)

package bytesparse

import "unsafe"

// Words are loaded without a bounds check: those of the walk are guarded by
// checks of their own, one for a whole line where the compiler would make six.
// The twin in load.go checks each; every test runs with both.

// load64 returns the eight bytes of b from index i on, the first one lowest.
// The caller has seen to it that 0 ≤ i and i+8 ≤ len(b).
func load64(b []byte, i int) uint64 {
	// SAFETY: by the contract above the eight bytes lie within b. Both
	// architectures are little-endian and load unaligned words.
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// store64 stores x at b[i:i+8], the lowest byte first. The caller has seen to
// it that 0 ≤ i and i+8 ≤ len(b).
func store64(b []byte, i int, x uint64) {
	// SAFETY: as in load64.
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = x
}

// skipLong is skip for strings too.
func skipLong[T string | []byte](b T) int {
	// SAFETY: strings and slices both begin with the pointer to their bytes, of which
	// there are len(b); nothing is kept or written.
	return skip(unsafe.Slice(*(**byte)(unsafe.Pointer(&b)), len(b)))
}
