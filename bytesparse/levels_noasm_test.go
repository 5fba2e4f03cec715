//go:build purego || !(amd64 || arm64)

// Where there are no kernels, there is one level.

package bytesparse

import "testing"

func benchLevels(b *testing.B, f func(b *testing.B)) { f(b) }
