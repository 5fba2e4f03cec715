// Where the linker has put the read-only data of the program, on amd64.

//go:build !purego

#include "textflag.h"

// func readOnly() (from, to uintptr)
TEXT ·readOnly(SB), NOSPLIT, $0-16
	LEAQ runtime·rodata(SB), AX
	MOVQ AX, from+0(FP)
	LEAQ runtime·erodata(SB), AX
	MOVQ AX, to+8(FP)
	RET
