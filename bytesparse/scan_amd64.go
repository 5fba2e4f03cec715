//go:build !purego

package bytesparse

import "github.com/klauspost/cpuid/v2"

// The kernels of amd64, and which of them this machine has. It is found out
// once, at start.

type level uint8

const (
	levelGeneric level = iota
	levelAVX2          // AVX2, BMI1, BMI2 and SSE4.2
	levelAVX512        // and AVX-512 F, BW, VL and VBMI
)

// machine is the best level of this machine; tests lower it.
var machine = func() level {
	switch {
	case !cpuid.CPU.Supports(cpuid.AVX2, cpuid.BMI1, cpuid.BMI2, cpuid.SSE42):
		return levelGeneric
	case !cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL, cpuid.AVX512VBMI):
		return levelAVX2
	}
	return levelAVX512
}()

// scan marks the blocks of b from off on, off < len(b) and a multiple of 64,
// and returns how many of them it marked, at least one. It stops early behind
// what looks like the end of a head.
func scan(b []byte, off int, m *masks) int {
	switch machine {
	case levelAVX512:
		return scanAVX512(b[off:], m)
	case levelAVX2:
		return scanAVX2(b[off:], m)
	}
	return scanGeneric(b, off, &m.v)
}

// skip returns how many bytes b begins with that are no control bytes, in whole
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

// skipEither returns how many bytes b begins with that are neither x nor y, in whole
// blocks of 64. With AVX-512 it would be the same four loads and comparisons.
func skipEither(b []byte, x, y byte) int {
	if machine == levelGeneric {
		return 0
	}
	return skipEitherAVX2(b, x, y)
}

// marksFirst tells whether a head is marked first, and not walked ahead of.
const marksFirst = false

// kernels tells whether head may be called.
func kernels() bool { return machine != levelGeneric }

// head reads the request line of b, not empty, or finds the end of another start
// line, and walks on over at most limit fields, within headBlocks blocks. When it gets
// to the end of the head and all is in order, h describes it and n is its size; else
// n is 0, and masks tells how far it got. cap(h.Fields) is at least limit.
//
//go:noescape
func head(h *Head, b []byte, limit int, kind startKind) (n int)

// listAVX512 is part of head, which gives it registers, not arguments: it is not to be
// called from Go.
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
