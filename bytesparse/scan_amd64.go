//go:build !purego

package bytesparse

import "github.com/klauspost/cpuid/v2"

// The kernels of amd64, and the choice among them, made once at start-up.

type level uint8

const (
	levelGeneric level = iota
	levelAVX2          // AVX2, BMI1, BMI2 and SSE4.2
	levelAVX512        // and AVX-512 F, BW, VL and VBMI
)

// machine is the best level that this machine supports; tests lower it.
var machine = func() level {
	switch {
	case !cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI1, cpuid.BMI2, cpuid.SSE42):
		return levelGeneric
	case !cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512VBMI):
		return levelAVX2
	}
	return levelAVX512
}()

// scan marks the blocks of b from off on, which is less than len(b) and a multiple of
// 64, and returns how many it marked, at least one. It stops early after what looks
// like the end of a head.
func scan(b []byte, off int, m *masks) int {
	switch machine {
	case levelAVX512:
		return scanAVX512(b[off:], m)
	case levelAVX2:
		return scanAVX2(b[off:], m)
	}
	return scanGeneric(b, off, &m.v)
}

// skip returns how many bytes at the start of b are free of control bytes, in whole
// blocks of 64.
func skip(b []byte) int {
	switch machine {
	case levelAVX512:
		return skipAVX512(b)
	case levelAVX2:
		return skipAVX2(b)
	}
	return 0
}

// skipEither returns how many bytes at the start of b are neither x nor y, in whole
// blocks of 64. AVX-512 would gain nothing: it needs the same four loads and comparisons.
func skipEither(b []byte, x, y byte) int {
	if machine == levelGeneric {
		return 0
	}
	return skipEitherAVX2(b, x, y)
}

// marksFirst reports whether a head is marked first, instead of running a fast walk.
const marksFirst = false

// kernels reports whether head and short may be called.
func kernels() bool { return machine != levelGeneric }

// head reads the request line of b, which is not empty, or finds the end of any other
// start line, and walks over at most limit fields, within headBlocks blocks. If it
// reaches the end of the head and everything is valid, h describes the head and n is its
// size; otherwise n is 0, and h.m records how far it got. cap(h.Fields) is at least limit.
//
//go:noescape
func head(h *Head, b []byte, limit int, kind startKind) (n int)

// short is head for requests only, of fewer than shortHead bytes and with plain lines, and without
// a limit: cap(h.Fields) is at least shortFields. It records nothing for a walk that would go
// on: if n is 0, parsing begins anew. If it is not, h.Method is well-known.
//
//go:noescape
func short(h *Head, b []byte) (n int)

// listAVX512 is part of head, which passes it registers rather than arguments: it must
// not be called from Go.
//
//go:noescape
func listAVX512()

//go:noescape
func scanAVX512(b []byte, m *masks) int

//go:noescape
func scanAVX2(b []byte, m *masks) int

//go:noescape
func skipAVX512(b []byte) int

//go:noescape
func skipAVX2(b []byte) int

//go:noescape
func skipEitherAVX2(b []byte, x, y byte) int
