// Marks of a head with AVX-512.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The block scan with AVX-512: a block is one register. Two tables of 128
// entries are looked up by a byte's low seven bits, so what an entry says must
// hold for both bytes that find it:
//
//	classes  the byte itself for a token byte, 0x80 for a control byte, for NUL 1,
//	         else 0
//	targets  the byte itself for a target byte, else 0, for NUL 1
//
// A byte is not a token byte, or not a target byte, if its entry differs, and it
// is a control byte if its entry is greater. Bytes from 0x80 on are none of the
// three: no entry for them is as great, and none is the same.

#define BYTES  SI // next block
#define LEFT   CX // bytes left
#define MASKS  DI // *masks
#define PLACE  DX // offset in each bitmap
#define V      AX // controls of the block
#define BEFORE R8 // the last two of the block before
#define END    R9 // where full blocks end, in each bitmap
#define T0     R10

#define CLASSES0 Z0
#define CLASSES1 Z1
#define TARGETS0 Z2
#define TARGETS1 Z3
#define BLOCK    Z4
#define ENTRY    Z5

// CLASSIFY stores what is a control and what is not a token byte, the former also
// in V; of bytes in K4 only.
#define CLASSIFY \
	VMOVDQA64 BLOCK, ENTRY                     \
	VPERMI2B  CLASSES1, CLASSES0, ENTRY        \
	VPCMPUB   $1, ENTRY, BLOCK, K4, K1         \ // <
	VPCMPUB   $4, ENTRY, BLOCK, K4, K2         \ // ≠
	KMOVQ     K1, V                            \
	KMOVQ     K2, masks_n(MASKS)(PLACE*1)      \
	MOVQ      V, masks_v(MASKS)(PLACE*1)

// CLASSIFYTARGET stores what is not a target byte; of bytes in K4 only.
#define CLASSIFYTARGET \
	VMOVDQA64 BLOCK, ENTRY                     \
	VPERMI2B  TARGETS1, TARGETS0, ENTRY        \
	VPCMPUB   $4, ENTRY, BLOCK, K4, K3         \
	KMOVQ     K3, masks_t(MASKS)(PLACE*1)

// NEXT goes on to the next block, and to done behind what looks like the end of
// a head: controls at distance two.
#define NEXT \
	LEAQ (BEFORE)(V*4), T0                     \
	MOVQ V, BEFORE                             \
	ADDQ $8, PLACE                             \
	SHRQ $62, BEFORE                           \
	TESTQ V, T0                                \
	JNZ  done

// markAVX512 marks up to windowBlocks blocks of LEFT > 0 bytes at BYTES in MASKS.
// It leaves 8 × blocks in PLACE.
TEXT ·markAVX512(SB), NOSPLIT|NOFRAME, $0
	VMOVDQU64 classes<>+0(SB), CLASSES0
	VMOVDQU64 classes<>+64(SB), CLASSES1
	VMOVDQU64 targets<>+0(SB), TARGETS0
	VMOVDQU64 targets<>+64(SB), TARGETS1
	XORL PLACE, PLACE
	XORL BEFORE, BEFORE
	KXNORQ K4, K4, K4
	MOVQ LEFT, END // full blocks
	SHRQ $6, END
	MOVL $const_windowBlocks, T0
	CMPQ END, T0
	CMOVQGT T0, END
	SHLQ $3, END
	JEQ  last

first: // up to the first control byte targets are of interest
	VMOVDQU8 (BYTES)(PLACE*8), BLOCK
	CLASSIFY
	CLASSIFYTARGET
	NEXT
	CMPQ PLACE, END
	JGE  last
	TESTQ V, V
	JZ   first

rest:
	VMOVDQU8 (BYTES)(PLACE*8), BLOCK
	CLASSIFY
	NEXT
	CMPQ PLACE, END
	JLT  rest

last: // what is left of a block, zeros behind it: a masked load touches nothing else
	CMPQ PLACE, $(8*const_windowBlocks)
	JEQ  done
	MOVQ $-1, T0
	ANDL $63, LEFT
	JEQ  done
	BZHIQ LEFT, T0, T0
	KMOVQ T0, K4
	VMOVDQU8.Z (BYTES)(PLACE*8), K4, BLOCK
	CLASSIFY
	CLASSIFYTARGET
	ADDQ $8, PLACE

done:
	VZEROUPPER
	RET

// func scanAVX512(b []byte, m *masks) int
TEXT ·scanAVX512(SB), NOSPLIT|NOFRAME, $0-40
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	MOVQ m+24(FP), MASKS
	CALL ·markAVX512(SB)
	SHRQ $3, PLACE
	MOVQ PLACE, ret+32(FP)
	RET

// func skipAVX512(b []byte) int
TEXT ·skipAVX512(SB), NOSPLIT, $0-32
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	XORL PLACE, PLACE
	ANDQ $~63, LEFT
	LEAQ -256(LEFT), END
	MOVL $0x20202020, T0
	VPBROADCASTD T0, Z0
	MOVL $0x7f7f7f7f, T0
	VPBROADCASTD T0, Z1

fourblocks: // the least byte, and the least difference to DEL
	CMPQ PLACE, END
	JGT  block
	VMOVDQU64 0(BYTES)(PLACE*1), Z2
	VMOVDQU64 64(BYTES)(PLACE*1), Z3
	VMOVDQU64 128(BYTES)(PLACE*1), Z4
	VMOVDQU64 192(BYTES)(PLACE*1), Z5
	VPMINUB Z2, Z3, Z6
	VPMINUB Z4, Z5, Z7
	VPMINUB Z6, Z7, Z6
	VPXORQ Z1, Z2, Z2
	VPXORQ Z1, Z3, Z3
	VPXORQ Z1, Z4, Z4
	VPXORQ Z1, Z5, Z5
	VPMINUB Z2, Z3, Z2
	VPMINUB Z4, Z5, Z4
	VPMINUB Z2, Z4, Z2
	VPCMPUB $1, Z0, Z6, K1
	VPTESTNMB Z2, Z2, K2
	KORTESTQ K1, K2
	JNZ  block
	ADDQ $256, PLACE
	JMP  fourblocks

block:
	CMPQ PLACE, LEFT
	JGE  skipped
	VMOVDQU64 (BYTES)(PLACE*1), Z2
	VPCMPUB $1, Z0, Z2, K1
	VPCMPEQB Z1, Z2, K2
	KORTESTQ K1, K2
	JNZ  skipped
	ADDQ $64, PLACE
	JMP  block

skipped:
	VZEROUPPER
	MOVQ PLACE, ret+24(FP)
	RET

DATA classes<>+0(SB)/8, $0x8080808080808001
DATA classes<>+8(SB)/8, $0x8080808080808080
DATA classes<>+16(SB)/8, $0x8080808080808080
DATA classes<>+24(SB)/8, $0x8080808080808080
DATA classes<>+32(SB)/8, $0x2726252423002100
DATA classes<>+40(SB)/8, $0x002e2d002b2a0000
DATA classes<>+48(SB)/8, $0x3736353433323130
DATA classes<>+56(SB)/8, $0x0000000000003938
DATA classes<>+64(SB)/8, $0x4746454443424100
DATA classes<>+72(SB)/8, $0x4f4e4d4c4b4a4948
DATA classes<>+80(SB)/8, $0x5756555453525150
DATA classes<>+88(SB)/8, $0x5f5e0000005a5958
DATA classes<>+96(SB)/8, $0x6766656463626160
DATA classes<>+104(SB)/8, $0x6f6e6d6c6b6a6968
DATA classes<>+112(SB)/8, $0x7776757473727170
DATA classes<>+120(SB)/8, $0x807e007c007a7978
GLOBL classes<>(SB), RODATA|NOPTR, $128

DATA targets<>+0(SB)/8, $0x0000000000000001
DATA targets<>+8(SB)/8, $0x0000000000000000
DATA targets<>+16(SB)/8, $0x0000000000000000
DATA targets<>+24(SB)/8, $0x0000000000000000
DATA targets<>+32(SB)/8, $0x2726252400002100
DATA targets<>+40(SB)/8, $0x2f2e2d2c2b2a2928
DATA targets<>+48(SB)/8, $0x3736353433323130
DATA targets<>+56(SB)/8, $0x3f003d003b3a3938
DATA targets<>+64(SB)/8, $0x4746454443424140
DATA targets<>+72(SB)/8, $0x4f4e4d4c4b4a4948
DATA targets<>+80(SB)/8, $0x5756555453525150
DATA targets<>+88(SB)/8, $0x5f005d005b5a5958
DATA targets<>+96(SB)/8, $0x6766656463626100
DATA targets<>+104(SB)/8, $0x6f6e6d6c6b6a6968
DATA targets<>+112(SB)/8, $0x7776757473727170
DATA targets<>+120(SB)/8, $0x007e0000007a7978
GLOBL targets<>(SB), RODATA|NOPTR, $128
