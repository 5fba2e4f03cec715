//go:build purego || !(amd64 || arm64)

package bytesparse

// Without kernels the portable scan is used. The kernel files replace this one under
// build tags and keep its signatures.

// scan marks the blocks of b from off on, which is less than len(b) and a multiple of
// 64, and returns how many it marked, at least one. It stops early after what looks
// like the end of a head.
func scan(b []byte, off int, m *masks) int { return scanGeneric(b, off, &m.v) }

// skip may return how many bytes at the start of b are free of control bytes, in whole
// blocks of 64.
func skip([]byte) int { return 0 }

// skipEither may return how many bytes at the start of b are neither x nor y, in whole
// blocks of 64.
func skipEither([]byte, byte, byte) int { return 0 }

// marksFirst reports whether a head is marked first, instead of running a fast walk.
const marksFirst = false

// kernels reports whether head and short may be called.
func kernels() bool { return false }

func head(*Head, []byte, int, startKind) int { return 0 }

func short(*Head, []byte) int { return 0 }
