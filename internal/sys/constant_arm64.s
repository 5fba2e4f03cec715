// Where the linker has put the read-only data of the program, on arm64.

//go:build !purego

#include "textflag.h"

// func readOnly() (from, to uintptr)
TEXT ·readOnly(SB), NOSPLIT, $0-16
	MOVD $runtime·rodata(SB), R0
	MOVD R0, from+0(FP)
	MOVD $runtime·erodata(SB), R0
	MOVD R0, to+8(FP)
	RET
