//go:build purego || !amd64

package bytesparse

// Without kernels the portable scan is the scan. A kernel file takes its place
// under a build tag and keeps these signatures.

// scan marks the blocks of b from off on, off < len(b) and a multiple of 64,
// and returns how many of them it marked, at least one.
func scan(b []byte, off int, m *masks) int { return scanGeneric(b, off, &m.v) }

func kernels() bool { return false }

func head(*Head, []byte, int, startKind) {}
