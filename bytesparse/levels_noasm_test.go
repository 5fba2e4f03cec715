//go:build purego || !(amd64 || arm64)

// Where there are no kernels, there is one level.

package bytesparse

import "testing"

func benchLevels(b *testing.B, f func(b *testing.B)) { f(b) }

func eachLevel(t *testing.T, f func(t *testing.T)) { t.Run("words", f) }

func withLevels(f func(name string)) { f("words") }
