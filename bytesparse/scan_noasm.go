//go:build purego || !(amd64 || arm64)

package bytesparse

// Without kernels the portable scan is the scan. A kernel file takes its place
// under a build tag and keeps these signatures.

// scan marks the blocks of b from off on, off < len(b) and a multiple of 64,
// and returns how many of them it marked, at least one. It stops early behind
// what looks like the end of a head.
func scan(b []byte, off int, m *masks) int { return scanGeneric(b, off, &m.v) }

// skip may return how many bytes b begins with that are no control bytes, in
// whole blocks of 64.
func skip([]byte) int { return 0 }

// skipEither may return how many bytes b begins with that are neither x nor y, in
// whole blocks of 64.
func skipEither([]byte, byte, byte) int { return 0 }

// marksFirst tells whether a head is marked first, and not walked ahead of.
const marksFirst = false

// kernels tells whether head may be called.
func kernels() bool { return false }

func head(*Head, []byte, int, startKind) int { return 0 }
