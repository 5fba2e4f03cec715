// Marks of a head with NEON.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The block scan with NEON: a block is four registers. Controls are marked where the
// byte is its own minimum with the greatest of them, or DEL.
//
// There is no instruction that gathers a bit of each byte: each is made the bit
// of its place in eight, and neighbours are added, three times over.

#define BYTES  R0 // next block
#define LEFT   R1 // bytes left
#define VMASK  R2 // next word of masks.v
#define BLOCKS R3
#define BEFORE R4 // the last two controls of the block before
#define V      R5
#define T0     R6
#define T1     R7

#define CONTROL V16
#define DEL     V17
#define PLACES  V18

// CONTROLS replaces the 16 bytes in x by their places' bits, or 0 where they are no
// controls.
#define CONTROLS(x, t) \
	VUMIN CONTROL.B16, x.B16, t.B16        \
	VCMEQ t.B16, x.B16, t.B16              \
	VCMEQ DEL.B16, x.B16, x.B16            \
	VORR  t.B16, x.B16, x.B16              \
	VAND  PLACES.B16, x.B16, x.B16

// MARK takes the 64 bytes at p and leaves controls in V.
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
	ADD  V<<2, BEFORE, T0 // controls at distance two may be the end of the head
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

tail: // fewer than 64 bytes: too much is loaded, but from no other page
	AND  $4095, BYTES, T0
	CMP  $(4096-64), T0
	BGT  crossing
	MARK(BYTES)
	MOVD $-1, T0
	LSL  LEFT, T0
	BIC  T0, V
	B    last

crossing: // the 64 bytes up to the last one begin on the page of the first
	ADD  LEFT, BYTES
	SUB  $64, BYTES
	MARK(BYTES)
	NEG  LEFT, T1 // 64 - LEFT, as shifts count
	LSR  T1, V

last:
	MOVD V, (VMASK)
	ADD  $1, BLOCKS
	B    done

DATA tables<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f // the greatest below SP
DATA tables<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA tables<>+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA tables<>+24(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA tables<>+32(SB)/8, $0x8040201008040201 // places
DATA tables<>+40(SB)/8, $0x8040201008040201
GLOBL tables<>(SB), RODATA|NOPTR, $48
