//go:build !purego

package bytesparse

// The kernel of arm64. Every such machine has NEON, so nothing is to be found
// out. It marks; the walk is the one in Go.

// scan marks the blocks of b from off on, off < len(b) and a multiple of 64,
// and returns how many of them it marked, at least one. It stops early behind
// what looks like the end of a head.
func scan(b []byte, off int, m *masks) int { return scanNEON(b[off:], m) }

// skip returns how many bytes b begins with that are no control bytes, in whole
// blocks of 64.
func skip(b []byte) int { return skipNEON(b) }

// skipEither returns how many bytes b begins with that are neither x nor y, in whole
// blocks of 64.
func skipEither(b []byte, x, y byte) int { return skipEitherNEON(b, x, y) }

// marksFirst: a head is marked before anything else, which is cheap here. (A walk ahead
// without marks executes 3 to 4 percent more instructions on long heads.)
const marksFirst = true

// kernels tells whether head may be called.
func kernels() bool { return false }

func head(*Head, []byte, int, startKind) int { return 0 }

//go:noescape
func scanNEON(b []byte, m *masks) int

//go:noescape
func skipNEON(b []byte) int

//go:noescape
func skipEitherNEON(b []byte, x, y byte) int
