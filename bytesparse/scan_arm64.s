// Marks of a head with NEON.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The block scan with NEON: a block is four registers. A byte is looked up by
// its two halves, as with AVX2: the low one finds the rows (high halves) that
// have a byte of the class in that column, the high one its own row's bit. Bits
// 2 to 7 stand for the rows of token bytes; bit 0 for the two rows of controls,
// bit 1 for DEL. Bytes from 0x80 on find nothing.
//
// There is no instruction that gathers a bit of each byte: each is made the bit
// of its place in eight, and neighbours are added, three times over.

#define BYTES  R0 // next block
#define LEFT   R1 // bytes left
#define VMASK  R2 // next word of masks.v
#define NMASK  R3 // and of masks.n
#define BLOCKS R4
#define BEFORE R5 // the last two controls of the block before
#define V      R6
#define N      R7
#define T0     R8
#define T1     R9

#define COLUMNS V16
#define ROWS    V17
#define LOWHALF V18
#define CONTROL V19
#define TOKEN   V20
#define PLACES  V21

// LOOKUP replaces the 16 bytes in x by the classes they find.
#define LOOKUP(x, row) \
	VUSHR $4, x.B16, row.B16               \
	VAND  LOWHALF.B16, x.B16, x.B16        \
	VTBL  row.B16, [ROWS.B16], row.B16     \
	VTBL  x.B16, [COLUMNS.B16], x.B16      \
	VAND  row.B16, x.B16, x.B16

// BITS leaves in dst which of the 64 classes in V0 to V3 have a bit of test.
#define BITS(test, dst) \
	VCMTST test.B16, V0.B16, V4.B16        \
	VCMTST test.B16, V1.B16, V5.B16        \
	VCMTST test.B16, V2.B16, V6.B16        \
	VCMTST test.B16, V3.B16, V7.B16        \
	VAND  PLACES.B16, V4.B16, V4.B16       \
	VAND  PLACES.B16, V5.B16, V5.B16       \
	VAND  PLACES.B16, V6.B16, V6.B16       \
	VAND  PLACES.B16, V7.B16, V7.B16       \
	VADDP V5.B16, V4.B16, V4.B16           \
	VADDP V7.B16, V6.B16, V6.B16           \
	VADDP V6.B16, V4.B16, V4.B16           \
	VADDP V4.B16, V4.B16, V4.B16           \
	VMOV  V4.D[0], dst

// CLASSIFY takes the 64 bytes at p and leaves controls in V, and in N what is
// not a token byte.
#define CLASSIFY(p) \
	VLD1 (p), [V0.B16, V1.B16, V2.B16, V3.B16] \
	LOOKUP(V0, V4)                         \
	LOOKUP(V1, V5)                         \
	LOOKUP(V2, V6)                         \
	LOOKUP(V3, V7)                         \
	BITS(CONTROL, V)                       \
	BITS(TOKEN, N)                         \
	MVN N, N

// func scanNEON(b []byte, m *masks) int
TEXT ·scanNEON(SB), NOSPLIT, $0-40
	MOVD b_base+0(FP), BYTES
	MOVD b_len+8(FP), LEFT
	MOVD m+24(FP), T0
	ADD  $masks_v, T0, VMASK
	ADD  $masks_n, T0, NMASK
	MOVD $tables<>(SB), T0
	VLD1.P 64(T0), [COLUMNS.B16, ROWS.B16, LOWHALF.B16, CONTROL.B16]
	VLD1 (T0), [TOKEN.B16, PLACES.B16]
	MOVD $0, BLOCKS
	MOVD $0, BEFORE

block:
	CMP  $64, LEFT
	BLT  tail
	CLASSIFY(BYTES)
	MOVD.P V, 8(VMASK)
	MOVD.P N, 8(NMASK)
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
	CLASSIFY(BYTES)
	MOVD $-1, T0
	LSL  LEFT, T0
	BIC  T0, V
	BIC  T0, N
	B    last

crossing: // the 64 bytes up to the last one begin on the page of the first
	ADD  LEFT, BYTES
	SUB  $64, BYTES
	CLASSIFY(BYTES)
	NEG  LEFT, T1 // 64 - LEFT, as shifts count
	LSR  T1, V
	LSR  T1, N

last:
	MOVD V, (VMASK)
	MOVD N, (NMASK)
	ADD  $1, BLOCKS
	B    done

DATA tables<>+0(SB)/8, $0xfdfdfdfdfdf9fde9 // columns
DATA tables<>+8(SB)/8, $0x73f555d155f5f9f9
DATA tables<>+16(SB)/8, $0x8240201008040101 // rows
DATA tables<>+24(SB)/8, $0x0000000000000000
DATA tables<>+32(SB)/8, $0x0f0f0f0f0f0f0f0f // low halves
DATA tables<>+40(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA tables<>+48(SB)/8, $0x0303030303030303 // controls
DATA tables<>+56(SB)/8, $0x0303030303030303
DATA tables<>+64(SB)/8, $0xfcfcfcfcfcfcfcfc // token bytes
DATA tables<>+72(SB)/8, $0xfcfcfcfcfcfcfcfc
DATA tables<>+80(SB)/8, $0x8040201008040201 // places
DATA tables<>+88(SB)/8, $0x8040201008040201
GLOBL tables<>(SB), RODATA|NOPTR, $96
