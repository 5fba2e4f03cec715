//go:build !purego

package bytesparse

import "testing"

// The one level of arm64; without kernels, the package is tested with the tag purego.

func eachLevel(t *testing.T, f func(t *testing.T)) { t.Run("neon", f) }

func withLevels(f func(name string)) { f("neon") }

func benchLevels(b *testing.B, f func(b *testing.B)) { b.Run("neon", f) }

// exactScans are the scans of this machine that mark exactly.
func exactScans() map[string]func(b []byte, m *masks) int {
	return map[string]func(b []byte, m *masks) int{"neon": scanNEON}
}

// skips reports whether skip skips anything.
func skips() bool { return true }
