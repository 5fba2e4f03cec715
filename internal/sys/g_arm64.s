// The running goroutine's descriptor on arm64.

//go:build !purego

#include "textflag.h"

// func G() uintptr
TEXT ·G(SB), NOSPLIT, $0-8
	MOVD g, ret+0(FP)
	RET

// func gWord(offset uintptr) uintptr
TEXT ·gWord(SB), NOSPLIT, $0-16
	MOVD offset+0(FP), R0
	ADD  g, R0
	MOVD (R0), R0
	MOVD R0, ret+8(FP)
	RET
