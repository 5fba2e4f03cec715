// The list of a head's blocks that have controls, built with AVX-512: a block is one
// register. The walk builds it itself with AVX2.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "walk_amd64.h"

#define CONTROL Z0
#define DEL     Z1
#define MOST    Z2
#define BLOCK   Z3

#define BELOW   K1 // a bit per byte: less than SP
#define DELETED K2

// Only the walk calls it, and passes registers: BYTES, LEFT, FULL and ENTRY. On return, LEFT
// is where the list stopped, and ENTRY is the end of the list, or 0 if there was a DEL. The
// walk executes VZEROUPPER.
//
// func listAVX512()
TEXT ·listAVX512(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $0x20202020, T0
	VPBROADCASTD T0, CONTROL // SP: less than this is a control
	MOVL $0x7f7f7f7f, T0
	VPBROADCASTD T0, DEL
	XORL PLACE, PLACE
	TESTQ FULL, FULL
	JEQ  tail
	VPXORQ MOST, MOST, MOST

block:
	VMOVDQU64 (BYTES)(PLACE*1), BLOCK
	VPCMPUB $1, CONTROL, BLOCK, BELOW // <
	VPMAXSB BLOCK, MOST, MOST
	KMOVQ BELOW, V
	TESTQ V, V
	LIST
	NEXTBLOCK(block, marked)
	VPCMPEQB DEL, MOST, DELETED
	KMOVQ DELETED, T0
	TESTQ T0, T0
	JNZ  deleted
	CMPQ PLACE, $(64*const_headBlocks)
	JEQ  done

tail:
	VMOVDQU64 (BYTES)(PLACE*1), BLOCK
	VPCMPUB $1, CONTROL, BLOCK, BELOW
	VPCMPEQB DEL, BLOCK, DELETED
	KMOVQ BELOW, V
	KMOVQ DELETED, T0
	ORQ  T0, V
	LISTTAIL
	RET

marked:
	VPCMPEQB DEL, MOST, DELETED
	KMOVQ DELETED, T0
	TESTQ T0, T0
	JNZ  deleted
done:
	MOVQ PLACE, LEFT
	RET

deleted:
	XORL ENTRY, ENTRY
	RET
