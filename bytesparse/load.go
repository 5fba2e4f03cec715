//go:build purego || !(amd64 || arm64)

package bytesparse

import "encoding/binary"

// Words are loaded with a bounds check each: the twin of unsafe.go.

// load64 returns the eight bytes of b from index i on, the first one lowest.
// The caller has seen to it that 0 ≤ i and i+8 ≤ len(b).
func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
