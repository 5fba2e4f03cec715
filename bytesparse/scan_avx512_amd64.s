// The block scan with AVX-512, and a search over long text.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A block is one register. Controls are the bytes less than SP, and DEL.

#define BYTES  SI // next block
#define LEFT   CX // bytes left
#define MASKS  DI // *masks
#define PLACE  DX // offset in the bitmap
#define V      AX // controls of the block
#define BEFORE R8 // the last two marks of the previous block
#define END    R9 // where the full blocks end, in the bitmap
#define T0     R10

#define SPACE Z0
#define DEL   Z1
#define BLOCK Z2
#define VALID K4 // the bytes that exist
#define BELOW K1 // those less than SP
#define DELETED K2

// MARK stores the controls among the bytes of the block that are in VALID, and leaves them in V.
#define MARK \
	VPCMPUB  $1, SPACE, BLOCK, VALID, BELOW          \ // <
	VPCMPUB  $0, DEL, BLOCK, VALID, DELETED            \ // =
	KMOVQ    BELOW, V                             \
	KMOVQ    DELETED, T0                            \
	ORQ      T0, V                             \
	MOVQ     V, masks_v(MASKS)(PLACE*1)

// func scanAVX512(b []byte, m *masks) int
TEXT ·scanAVX512(SB), NOSPLIT, $0-40
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	MOVQ m+24(FP), MASKS
	MOVL $0x20202020, T0
	VPBROADCASTD T0, SPACE
	MOVL $0x7f7f7f7f, T0
	VPBROADCASTD T0, DEL
	XORL PLACE, PLACE
	XORL BEFORE, BEFORE
	KXNORQ VALID, VALID, VALID
	MOVQ LEFT, END
	SHRQ $6, END
	MOVL $const_windowBlocks, T0
	CMPQ END, T0
	CMOVQGT T0, END
	SHLQ $3, END
	JEQ  last

full:
	VMOVDQU8 (BYTES)(PLACE*8), BLOCK
	MARK
	LEAQ (BEFORE)(V*4), T0 // controls at distance two may be the end of a head
	MOVQ V, BEFORE
	ADDQ $8, PLACE
	SHRQ $62, BEFORE
	TESTQ V, T0
	JNZ  done
	CMPQ PLACE, END
	JLT  full

last: // the partial block, padded with zeros: a masked load touches no other byte
	CMPQ PLACE, $(8*const_windowBlocks)
	JEQ  done
	MOVQ $-1, T0
	ANDL $63, LEFT
	JEQ  done
	BZHIQ LEFT, T0, T0
	KMOVQ T0, VALID
	VMOVDQU8.Z (BYTES)(PLACE*8), VALID, BLOCK
	MARK
	ADDQ $8, PLACE

done:
	VZEROUPPER
	SHRQ $3, PLACE
	MOVQ PLACE, ret+32(FP)
	RET

// Four blocks at a time: a control shows in the least byte, a DEL in the least XOR with DEL.
#define B0 Z2
#define B1 Z3
#define B2 Z4
#define B3 Z5
#define LEAST  Z6
#define LEAST1 Z7

// func skipAVX512(b []byte) int
TEXT ·skipAVX512(SB), NOSPLIT, $0-32
	MOVQ b_base+0(FP), BYTES
	MOVQ b_len+8(FP), LEFT
	XORL PLACE, PLACE
	ANDQ $~63, LEFT
	LEAQ -256(LEFT), END
	MOVL $0x20202020, T0
	VPBROADCASTD T0, SPACE
	MOVL $0x7f7f7f7f, T0
	VPBROADCASTD T0, DEL

fourblocks:
	CMPQ PLACE, END
	JGT  block
	VMOVDQU64 0(BYTES)(PLACE*1), B0
	VMOVDQU64 64(BYTES)(PLACE*1), B1
	VMOVDQU64 128(BYTES)(PLACE*1), B2
	VMOVDQU64 192(BYTES)(PLACE*1), B3
	VPMINUB B0, B1, LEAST
	VPMINUB B2, B3, LEAST1
	VPMINUB LEAST, LEAST1, LEAST
	VPXORQ DEL, B0, B0
	VPXORQ DEL, B1, B1
	VPXORQ DEL, B2, B2
	VPXORQ DEL, B3, B3
	VPMINUB B0, B1, B0
	VPMINUB B2, B3, B2
	VPMINUB B0, B2, B0
	VPCMPUB $1, SPACE, LEAST, BELOW
	VPTESTNMB B0, B0, DELETED
	KORTESTQ BELOW, DELETED
	JNZ  block
	ADDQ $256, PLACE
	JMP  fourblocks

block:
	CMPQ PLACE, LEFT
	JGE  skipped
	VMOVDQU64 (BYTES)(PLACE*1), B0
	VPCMPUB $1, SPACE, B0, BELOW
	VPCMPEQB DEL, B0, DELETED
	KORTESTQ BELOW, DELETED
	JNZ  skipped
	ADDQ $64, PLACE
	JMP  block

skipped:
	VZEROUPPER
	MOVQ PLACE, ret+24(FP)
	RET
