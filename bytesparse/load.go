//go:build purego || !(amd64 || arm64)

package bytesparse

import "encoding/binary"

// Words are loaded with a bounds check each: the counterpart of unsafe.go.

// load64 returns the eight bytes of b from index i on, in little-endian order.
// The caller guarantees that 0 ≤ i and i+8 ≤ len(b).
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// store64 stores x at b[i:i+8] in little-endian order. The caller guarantees that
// 0 ≤ i and i+8 ≤ len(b).
func store64(b []byte, i int, x uint64) { binary.LittleEndian.PutUint64(b[i:], x) }

// skipLong is skip, for strings as well.
func skipLong[T string | []byte](T) int { return 0 }
