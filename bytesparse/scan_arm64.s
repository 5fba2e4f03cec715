// The block scan with NEON.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A block is four registers. A byte is a control if it equals its minimum with the
// greatest control below SP, or if it is DEL.
//
// No instruction gathers one bit of each byte. Instead each matching byte becomes the bit
// of its position among eight, and adjacent bytes are added three times over, which also
// combines the four registers.

#define BYTES  R0 // next block
#define LEFT   R1 // bytes left
#define VMASK  R2 // next word of masks.v
#define BLOCKS R3 // blocks marked
#define BEFORE R4 // the last two marks of the previous block
#define V      R5 // controls of the block
#define T0     R6
#define T1     R7

#define CONTROL V16
#define DEL     V17
#define PLACES  V18

// CONTROLS replaces each of the 16 bytes in x by the bit of its position, or by 0 if it
// is not a control.
#define CONTROLS(x, t) \
	VUMIN CONTROL.B16, x.B16, t.B16        \
	VCMEQ t.B16, x.B16, t.B16              \
	VCMEQ DEL.B16, x.B16, x.B16            \
	VORR  t.B16, x.B16, x.B16              \
	VAND  PLACES.B16, x.B16, x.B16

// MARK leaves the controls of the 64 bytes at p in V.
#define MARK(p) \
	VLD1 (p), [V0.B16, V1.B16, V2.B16, V3.B16] \
	CONTROLS(V0, V4)                       \
	CONTROLS(V1, V5)                       \
	CONTROLS(V2, V6)                       \
	CONTROLS(V3, V7)                       \
	VADDP V1.B16, V0.B16, V0.B16           \
	VADDP V3.B16, V2.B16, V2.B16           \
	VADDP V2.B16, V0.B16, V0.B16           \
	VADDP V0.B16, V0.B16, V0.B16           \
	VMOV  V0.D[0], V

// func scanNEON(b []byte, m *masks) int
TEXT ·scanNEON(SB), NOSPLIT, $0-40
	MOVD b_base+0(FP), BYTES
	MOVD b_len+8(FP), LEFT
	MOVD m+24(FP), T0
	ADD  $masks_v, T0, VMASK
	MOVD $tables<>(SB), T0
	VLD1 (T0), [CONTROL.B16, DEL.B16, PLACES.B16]
	MOVD $0, BLOCKS
	MOVD $0, BEFORE

block:
	CMP  $64, LEFT
	BLT  tail
	MARK(BYTES)
	MOVD.P V, 8(VMASK)
	ADD  $1, BLOCKS
	ADD  V<<2, BEFORE, T0 // controls at distance two may be the end of a head
	LSR  $62, V, BEFORE
	TST  V, T0
	BNE  done
	ADD  $64, BYTES
	SUBS $64, LEFT
	BEQ  done
	CMP  $const_windowBlocks, BLOCKS
	BNE  block

done:
	MOVD BLOCKS, ret+32(FP)
	RET

tail: // fewer than 64 bytes: more is loaded, but from the same page
	AND  $4095, BYTES, T0
	CMP  $(4096-64), T0
	BGT  crossing
	MARK(BYTES)
	MOVD $-1, T0
	LSL  LEFT, T0
	BIC  T0, V
	B    last

crossing: // load the 64 bytes that end with b instead; they begin on the page of the tail's first byte
	ADD  LEFT, BYTES
	SUB  $64, BYTES
	MARK(BYTES)
	NEG  LEFT, T1 // 64 - LEFT, modulo 64
	LSR  T1, V

last:
	MOVD V, (VMASK)
	ADD  $1, BLOCKS
	B    done

DATA tables<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f // the greatest control below SP
DATA tables<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA tables<>+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA tables<>+24(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA tables<>+32(SB)/8, $0x8040201008040201 // the bits of the positions
DATA tables<>+40(SB)/8, $0x8040201008040201
GLOBL tables<>(SB), RODATA|NOPTR, $48
