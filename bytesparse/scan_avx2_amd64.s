// Marks of a head with AVX2.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The block scan with AVX2: a block is two registers. A byte is looked up by its
// two halves: the low one finds the rows (high halves) that have a byte of the
// class in that column, the high one finds its own row's bit, and both have it
// where the byte is of the class. Bytes from 0x80 on find nothing.
//
// Of token bytes there are none in rows 0 and 1, the control bytes, so bit 0
// stands for these two rows, all columns, and bit 1 for DEL.

#define BYTES  SI // next block
#define LEFT   CX // bytes left
#define MASKS  DI // *masks
#define PLACE  DX // offset in each bitmap
#define V      AX // controls of the block
#define BEFORE R8 // the last two of the block before
#define N      R9
#define T      R10
#define T0     R11
#define T1     R12

#define CLASSCOLUMNS  Y0
#define TARGETCOLUMNS Y1
#define ROWS          Y2
#define LOWHALF       Y3
#define THREE         Y4
#define ZERO          Y5
#define LO            Y6
#define HI            Y7
#define LOROWS        Y8
#define HIROWS        Y9
#define C0            Y10
#define C1            Y11
#define C2            Y12

// BITS makes 64 bits of the sign bits of lo and hi.
#define BITS(lo, hi, dst) \
	VPMOVMSKB lo, dst                      \
	VPMOVMSKB hi, T0                       \
	SHLQ $32, T0                           \
	ORQ  T0, dst

// CLASSIFY takes the 64 bytes at p and leaves what is not a token byte in N and
// controls in V: what is neither a token byte nor of no class at all.
#define CLASSIFY(p) \
	VMOVDQU (p), LO                        \
	VMOVDQU 32(p), HI                      \
	VPSRLW  $4, LO, LOROWS                 \
	VPSRLW  $4, HI, HIROWS                 \
	VPAND   LOWHALF, LOROWS, LOROWS        \
	VPAND   LOWHALF, HIROWS, HIROWS        \
	VPSHUFB LOROWS, ROWS, LOROWS           \
	VPSHUFB HIROWS, ROWS, HIROWS           \
	VPSHUFB LO, CLASSCOLUMNS, C0           \
	VPSHUFB HI, CLASSCOLUMNS, C1           \
	VPAND   LOROWS, C0, C0                 \
	VPAND   HIROWS, C1, C1                 \
	VPMINUB THREE, C0, C2                  \
	VPCMPEQB C0, C2, C2                    \
	VPCMPEQB ZERO, C0, C0                  \
	VPMOVMSKB C2, N                        \
	VPMINUB THREE, C1, C2                  \
	VPCMPEQB C1, C2, C2                    \
	VPCMPEQB ZERO, C1, C1                  \
	VPMOVMSKB C2, T1                       \
	SHLQ $32, T1                           \
	ORQ  T1, N                             \
	BITS(C0, C1, V)                        \
	ANDNQ N, V, V

// CLASSIFYTARGET leaves what is not a target byte in T, of the bytes that
// CLASSIFY took.
#define CLASSIFYTARGET \
	VPSHUFB LO, TARGETCOLUMNS, C0          \
	VPSHUFB HI, TARGETCOLUMNS, C1          \
	VPAND   LOROWS, C0, C0                 \
	VPAND   HIROWS, C1, C1                 \
	VPCMPEQB ZERO, C0, C0                  \
	VPCMPEQB ZERO, C1, C1                  \
	BITS(C0, C1, T)

// NEXTBLOCK goes on to the next block, and to stop when there is none or it
// lies behind what looks like the end of a head: controls at distance two.
#define NEXTBLOCK(stop) \
	LEAQ (BEFORE)(V*4), T0                 \
	MOVQ V, BEFORE                         \
	SHRQ $62, BEFORE                       \
	ADDQ $8, PLACE                         \
	ADDQ $64, BYTES                        \
	TESTQ V, T0                            \
	JNZ  stop                              \
	CMPQ PLACE, $(8*const_windowBlocks)    \
	JEQ  stop                              \
	SUBQ $64, LEFT                         \
	JLE  stop

// mark marks up to windowBlocks blocks of LEFT > 0 bytes at BYTES in MASKS. It
// leaves 8 × blocks in PLACE.
TEXT ·markAVX2(SB), NOSPLIT|NOFRAME, $0
	VBROADCASTI128 columns<>+0(SB), CLASSCOLUMNS
	VBROADCASTI128 columns<>+16(SB), TARGETCOLUMNS
	VBROADCASTI128 columns<>+32(SB), ROWS
	VBROADCASTI128 columns<>+48(SB), LOWHALF
	VBROADCASTI128 columns<>+64(SB), THREE
	VPXOR ZERO, ZERO, ZERO
	XORL PLACE, PLACE
	XORL BEFORE, BEFORE

first: // up to the first control byte targets are of interest
	CMPQ LEFT, $64
	JLT  tail
	CLASSIFY(BYTES)
	CLASSIFYTARGET
	MOVQ V, masks_v(MASKS)(PLACE*1)
	MOVQ N, masks_n(MASKS)(PLACE*1)
	MOVQ T, masks_t(MASKS)(PLACE*1)
	NEXTBLOCK(done)
	TESTQ V, V
	JZ   first

rest:
	CMPQ LEFT, $64
	JLT  tail
	CLASSIFY(BYTES)
	MOVQ V, masks_v(MASKS)(PLACE*1)
	MOVQ N, masks_n(MASKS)(PLACE*1)
	NEXTBLOCK(done)
	JMP  rest

tail: // fewer than 64 bytes: too much is loaded, but from no other page
	MOVL BYTES, T0
	ANDL $4095, T0
	CMPL T0, $(4096-64)
	JGT  crossing
	CLASSIFY(BYTES)
	CLASSIFYTARGET
	BZHIQ LEFT, V, V
	BZHIQ LEFT, N, N
	BZHIQ LEFT, T, T
	JMP  last

crossing: // the 64 bytes up to the last one begin on the page of the first
	LEAQ -64(BYTES)(LEFT*1), BYTES
	CLASSIFY(BYTES)
	CLASSIFYTARGET
	NEGQ LEFT // 64 - LEFT, as shifts count
	SHRXQ LEFT, V, V
	SHRXQ LEFT, N, N
	SHRXQ LEFT, T, T

last:
	MOVQ V, masks_v(MASKS)(PLACE*1)
	MOVQ N, masks_n(MASKS)(PLACE*1)
	MOVQ T, masks_t(MASKS)(PLACE*1)
	ADDQ $8, PLACE

done:
	VZEROUPPER
	RET

// func scanAVX2(b []byte, m *masks) int
TEXT ·scanAVX2(SB), NOSPLIT|NOFRAME, $0-40
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	MOVQ m+24(FP), MASKS
	CALL ·markAVX2(SB)
	SHRQ $3, PLACE
	MOVQ PLACE, ret+32(FP)
	RET

// func skipAVX2(b []byte) int
TEXT ·skipAVX2(SB), NOSPLIT, $0-32
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	XORL PLACE, PLACE
	ANDQ $~63, LEFT
	VBROADCASTI128 columns<>+80(SB), Y0 // the greatest below SP
	VBROADCASTI128 columns<>+96(SB), Y1 // DEL

block:
	CMPQ PLACE, LEFT
	JGE  skipped
	VMOVDQU 0(BYTES)(PLACE*1), Y2
	VMOVDQU 32(BYTES)(PLACE*1), Y3
	VPMINUB Y2, Y3, Y4
	VPMINUB Y0, Y4, Y5
	VPCMPEQB Y1, Y2, Y2
	VPCMPEQB Y1, Y3, Y3
	VPCMPEQB Y4, Y5, Y4
	VPOR Y2, Y3, Y2
	VPOR Y2, Y4, Y2
	VPTEST Y2, Y2
	JNZ  skipped
	ADDQ $64, PLACE
	JMP  block

skipped:
	VZEROUPPER
	MOVQ PLACE, ret+24(FP)
	RET

DATA columns<>+0(SB)/8, $0xfdfdfdfdfdf9fde9 // classes
DATA columns<>+8(SB)/8, $0x73f555d155f5f9f9
DATA columns<>+16(SB)/8, $0xfcfcfcfcf8f8fcb8 // targets
DATA columns<>+24(SB)/8, $0x7cd47c547cfcfcfc
DATA columns<>+32(SB)/8, $0x8240201008040101 // rows
DATA columns<>+40(SB)/8, $0x0000000000000000
DATA columns<>+48(SB)/8, $0x0f0f0f0f0f0f0f0f // low halves
DATA columns<>+56(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA columns<>+64(SB)/8, $0x0303030303030303 // the greatest that is no token byte
DATA columns<>+72(SB)/8, $0x0303030303030303
DATA columns<>+80(SB)/8, $0x1f1f1f1f1f1f1f1f // controls
DATA columns<>+88(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA columns<>+96(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA columns<>+104(SB)/8, $0x7f7f7f7f7f7f7f7f
GLOBL columns<>(SB), RODATA|NOPTR, $112
