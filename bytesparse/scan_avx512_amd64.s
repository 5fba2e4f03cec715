// Marks of a head with AVX-512.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// A block is one register. Controls are what is less than SP, and DEL.

#define BYTES  SI // next block
#define LEFT   CX // bytes left
#define MASKS  DI // *masks
#define PLACE  DX // offset in the bitmap
#define V      AX // controls of the block
#define BEFORE R8 // the last two of the block before
#define END    R9 // where full blocks end, in the bitmap
#define T0     R10

#define SPACE Z0
#define DEL   Z1
#define BLOCK Z2

// MARK stores the controls of the block, also in V; of bytes in K4 only.
#define MARK \
	VPCMPUB  $1, SPACE, BLOCK, K4, K1          \ // <
	VPCMPUB  $0, DEL, BLOCK, K4, K2            \ // =
	KMOVQ    K1, V                             \
	KMOVQ    K2, T0                            \
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
	KXNORQ K4, K4, K4
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

last: // what is left of a block, zeros behind it: a masked load touches nothing else
	CMPQ PLACE, $(8*const_windowBlocks)
	JEQ  done
	MOVQ $-1, T0
	ANDL $63, LEFT
	JEQ  done
	BZHIQ LEFT, T0, T0
	KMOVQ T0, K4
	VMOVDQU8.Z (BYTES)(PLACE*8), K4, BLOCK
	MARK
	ADDQ $8, PLACE

done:
	VZEROUPPER
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
