//go:build purego || !amd64

package bytesparse

import "testing"

func benchLevels(b *testing.B, f func(b *testing.B)) { f(b) }
