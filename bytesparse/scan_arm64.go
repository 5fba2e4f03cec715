//go:build !purego

package bytesparse

// The kernels of arm64. Every such machine has NEON, so there is nothing to choose.
// They only mark and skip; the walk is the one in Go.

// scan marks the blocks of b from off on, which is less than len(b) and a multiple of
// 64, and returns how many it marked, at least one. It stops early after what looks
// like the end of a head.
func scan(b []byte, off int, m *masks) int { return scanNEON(b[off:], m) }

// skip returns how many bytes at the start of b are free of control bytes, in whole
// blocks of 64.
func skip(b []byte) int { return skipNEON(b) }

// skipEither returns how many bytes at the start of b are neither x nor y, in whole
// blocks of 64.
func skipEither(b []byte, x, y byte) int { return skipEitherNEON(b, x, y) }

// marksFirst reports whether a head is marked first, instead of running a fast walk. Marking
// is cheap here: the fast walk in lines.go executes 3 to 4 percent more instructions on long
// heads.
const marksFirst = true

// kernels reports whether head and short may be called.
func kernels() bool { return false }

func head(*Head, []byte, int, startKind) int { return 0 }

func short(*Head, []byte) int { return 0 }

//go:noescape
func scanNEON(b []byte, m *masks) int

//go:noescape
func skipNEON(b []byte) int

//go:noescape
func skipEitherNEON(b []byte, x, y byte) int
