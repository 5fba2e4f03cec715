// Searches over long text with NEON.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A block of 64 bytes is four registers. The results for all four are combined in one
// register, and its halves are tested.

#define BYTES R0 // next block
#define LEFT  R1
#define DONE  R2 // bytes skipped
#define T0    R3
#define T1    R4

#define FIRST  V16
#define SECOND V17
#define LAST   V18 // the last control below SP
#define LEAST  V19

// ANY branches to found if any bit of x is set.
#define ANY(x, found) \
	VMOV x.D[0], T0                        \
	VMOV x.D[1], T1                        \
	ORR  T1, T0                            \
	CBNZ T0, found

// EQUAL sets the bytes of V4 whose counterpart in V0, V1, V2 or V3 equals that of c.
#define EQUAL(c, V4, V5, V6, V7) \
	VCMEQ c.B16, V0.B16, V4.B16            \
	VCMEQ c.B16, V1.B16, V5.B16            \
	VCMEQ c.B16, V2.B16, V6.B16            \
	VCMEQ c.B16, V3.B16, V7.B16            \
	VORR  V5.B16, V4.B16, V4.B16           \
	VORR  V7.B16, V6.B16, V6.B16           \
	VORR  V6.B16, V4.B16, V4.B16

// func skipNEON(b []byte) int
TEXT ·skipNEON(SB), NOSPLIT, $0-32
	MOVD b_base+0(FP), BYTES
	MOVD b_len+8(FP), LEFT
	MOVD $0, DONE
	VMOVI $0x7f, FIRST.B16 // DEL
	VMOVI $0x1f, LAST.B16

block:
	SUBS $64, LEFT
	BLT  skipped
	VLD1.P 64(BYTES), [V0.B16, V1.B16, V2.B16, V3.B16]
	EQUAL(FIRST, V4, V5, V6, V7)
	VUMIN V1.B16, V0.B16, V0.B16
	VUMIN V3.B16, V2.B16, V2.B16
	VUMIN V2.B16, V0.B16, LEAST.B16
	VUMIN LAST.B16, LEAST.B16, V0.B16
	VCMEQ LEAST.B16, V0.B16, V0.B16
	VORR  V4.B16, V0.B16, V0.B16
	ANY(V0, skipped)
	ADD  $64, DONE
	B    block

skipped:
	MOVD DONE, ret+24(FP)
	RET

// func skipEitherNEON(b []byte, x, y byte) int
TEXT ·skipEitherNEON(SB), NOSPLIT, $0-40
	MOVD b_base+0(FP), BYTES
	MOVD b_len+8(FP), LEFT
	MOVD $0, DONE
	MOVBU x+24(FP), T0
	VDUP T0, FIRST.B16
	MOVBU y+25(FP), T0
	VDUP T0, SECOND.B16

block:
	SUBS $64, LEFT
	BLT  skipped
	VLD1.P 64(BYTES), [V0.B16, V1.B16, V2.B16, V3.B16]
	EQUAL(FIRST, V4, V5, V6, V7)
	EQUAL(SECOND, V8, V9, V10, V11)
	VORR V8.B16, V4.B16, V4.B16
	ANY(V4, skipped)
	ADD  $64, DONE
	B    block

skipped:
	MOVD DONE, ret+32(FP)
	RET
