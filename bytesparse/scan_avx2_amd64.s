// The block scan with AVX2, and searches over long text.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A byte is a control if it equals its minimum with the greatest control below SP, or if
// it is DEL.

#define BYTES  SI // next block
#define LEFT   CX // bytes left
#define MASKS  DI // *masks
#define PLACE  DX // offset in the bitmap
#define V      AX // controls of the block
#define BEFORE R8 // the last two marks of the previous block
#define T0     R9

#define CONTROL Y0
#define DEL     Y1
#define LO      Y2
#define HI      Y3
#define LODEL   Y4
#define HIDEL   Y5
#define LEAST   Y6

// MARK leaves the controls of the 64 bytes at p in V.
#define MARK(p) \
	VPMINUB  (p), CONTROL, LO      \
	VPMINUB  32(p), CONTROL, HI    \
	VPCMPEQB (p), DEL, LODEL       \
	VPCMPEQB 32(p), DEL, HIDEL     \
	VPCMPEQB (p), LO, LO           \
	VPCMPEQB 32(p), HI, HI         \
	VPOR     LODEL, LO, LO         \
	VPOR     HIDEL, HI, HI         \
	VPMOVMSKB LO, V                \
	VPMOVMSKB HI, T0               \
	SHLQ     $32, T0               \
	ORQ      T0, V

// func scanAVX2(b []byte, m *masks) int
TEXT ·scanAVX2(SB), NOSPLIT, $0-40
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	MOVQ m+24(FP), MASKS
	VBROADCASTI128 controls<>+0(SB), CONTROL
	VBROADCASTI128 controls<>+16(SB), DEL
	XORL PLACE, PLACE
	XORL BEFORE, BEFORE

full:
	CMPQ LEFT, $64
	JLT  tail
	MARK(BYTES)
	MOVQ V, masks_v(MASKS)(PLACE*1)
	LEAQ (BEFORE)(V*4), T0 // controls at distance two may be the end of a head
	MOVQ V, BEFORE
	SHRQ $62, BEFORE
	ADDQ $8, PLACE
	ADDQ $64, BYTES
	TESTQ V, T0
	JNZ  done
	CMPQ PLACE, $(8*const_windowBlocks)
	JEQ  done
	SUBQ $64, LEFT
	JGT  full
	JMP  done

tail: // fewer than 64 bytes: more is loaded, but from the same page
	MOVL BYTES, T0
	ANDL $4095, T0
	CMPL T0, $(4096-64)
	JGT  crossing
	MARK(BYTES)
	BZHIQ LEFT, V, V
	JMP  last

crossing: // load the 64 bytes that end with b instead; they begin on the page of the tail's first byte
	LEAQ -64(BYTES)(LEFT*1), BYTES
	MARK(BYTES)
	NEGQ LEFT // 64 - LEFT, modulo 64
	SHRXQ LEFT, V, V

last:
	MOVQ V, masks_v(MASKS)(PLACE*1)
	ADDQ $8, PLACE

done:
	VZEROUPPER
	SHRQ $3, PLACE
	MOVQ PLACE, ret+32(FP)
	RET

// func skipAVX2(b []byte) int
TEXT ·skipAVX2(SB), NOSPLIT, $0-32
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	XORL PLACE, PLACE
	ANDQ $~63, LEFT
	VBROADCASTI128 controls<>+0(SB), CONTROL
	VBROADCASTI128 controls<>+16(SB), DEL

block:
	CMPQ PLACE, LEFT
	JGE  skipped
	VMOVDQU 0(BYTES)(PLACE*1), LO
	VMOVDQU 32(BYTES)(PLACE*1), HI
	VPMINUB LO, HI, LEAST
	VPCMPEQB DEL, LO, LODEL
	VPCMPEQB DEL, HI, HIDEL
	VPMINUB CONTROL, LEAST, LO
	VPOR LODEL, HIDEL, LODEL
	VPCMPEQB LEAST, LO, LO
	VPOR LODEL, LO, LO
	VPTEST LO, LO
	JNZ  skipped
	ADDQ $64, PLACE
	JMP  block

skipped:
	VZEROUPPER
	MOVQ PLACE, ret+24(FP)
	RET

#define FIRST  Y0
#define SECOND Y1

// func skipEitherAVX2(b []byte, x, y byte) int
TEXT ·skipEitherAVX2(SB), NOSPLIT, $0-40
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	XORL PLACE, PLACE
	ANDQ $~63, LEFT
	VPBROADCASTB x+24(FP), FIRST
	VPBROADCASTB y+25(FP), SECOND

block:
	CMPQ PLACE, LEFT
	JGE  skipped
	VPCMPEQB 0(BYTES)(PLACE*1), FIRST, LO
	VPCMPEQB 32(BYTES)(PLACE*1), FIRST, HI
	VPCMPEQB 0(BYTES)(PLACE*1), SECOND, LODEL
	VPCMPEQB 32(BYTES)(PLACE*1), SECOND, HIDEL
	VPOR LO, HI, LO
	VPOR LODEL, HIDEL, LODEL
	VPOR LODEL, LO, LO
	VPTEST LO, LO
	JNZ  skipped
	ADDQ $64, PLACE
	JMP  block

skipped:
	VZEROUPPER
	MOVQ PLACE, ret+32(FP)
	RET

DATA controls<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f // the greatest control below SP
DATA controls<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA controls<>+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA controls<>+24(SB)/8, $0x7f7f7f7f7f7f7f7f
GLOBL controls<>(SB), RODATA|NOPTR, $32
