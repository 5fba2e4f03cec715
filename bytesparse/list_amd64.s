// The blocks of a head that have controls.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The list for the walk: of each block with a control byte its marks and where it
// stands. Where a block has none, the next one takes its place. Whether there is a DEL
// among the full blocks, the greatest of signed bytes, is looked for once: it is
// hardly ever there, and then the walk in Go has the head to itself.

#define BYTES SI
#define LEFT  CX // bytes
#define FULL  R8 // where full blocks end, at the most headBlocks of them
#define ENTRY R11
#define PLACE DX // of the block
#define V     R9 // its controls
#define T0    R10
#define T1    R12

// LIST puts a block into the list if it has controls, as the flags of V say.
#define LIST \
	MOVQ PLACE, 8(ENTRY)                    \
	MOVQ V, (ENTRY)                         \
	LEAQ 16(ENTRY), T1                      \
	CMOVQNE T1, ENTRY

// NEXTBLOCK goes on to the next full block, and to marked when controls at distance
// two look like the end of a head.
#define NEXTBLOCK(block, marked) \
	LEAQ (V*4), T0                          \
	ADDQ $64, PLACE                         \
	TESTQ V, T0                             \
	JNZ  marked                             \
	CMPQ PLACE, FULL                        \
	JLT  block

// LISTTAIL puts what is left of the block into the list, fewer than 64 bytes or none.
#define LISTTAIL \
	MOVL LEFT, T0                           \
	SUBL PLACE, T0                          \
	BZHIQ T0, V, V                          \
	LIST

#define CONTROL Y0
#define DEL     Y1
#define MOST    Y2
#define LO      Y3
#define HI      Y4
#define LODEL   Y5
#define HIDEL   Y6

// It takes BYTES, LEFT, FULL and ENTRY, and leaves in LEFT where it stopped and ENTRY
// behind the list, or 0 when a DEL was seen.
TEXT ·listAVX2(SB), NOSPLIT|NOFRAME, $0
	VBROADCASTI128 limits<>+0(SB), CONTROL
	VBROADCASTI128 limits<>+16(SB), DEL
	XORL PLACE, PLACE
	TESTQ FULL, FULL
	JEQ  tail
	VPXOR MOST, MOST, MOST

block:
	VPMINUB  (BYTES)(PLACE*1), CONTROL, LO
	VPMINUB  32(BYTES)(PLACE*1), CONTROL, HI
	VPMAXSB  (BYTES)(PLACE*1), MOST, MOST
	VPMAXSB  32(BYTES)(PLACE*1), MOST, MOST
	VPCMPEQB (BYTES)(PLACE*1), LO, LO
	VPCMPEQB 32(BYTES)(PLACE*1), HI, HI
	VPMOVMSKB LO, V
	VPMOVMSKB HI, T0
	SHLQ $32, T0
	ORQ  T0, V
	LIST
	NEXTBLOCK(block, marked)
	VPCMPEQB DEL, MOST, MOST
	VPTEST MOST, MOST
	JNZ  deleted
	CMPQ PLACE, $(64*const_headBlocks)
	JEQ  done

tail: // up to 64 bytes behind the last one are loaded
	VPMINUB  (BYTES)(PLACE*1), CONTROL, LO
	VPMINUB  32(BYTES)(PLACE*1), CONTROL, HI
	VPCMPEQB (BYTES)(PLACE*1), DEL, LODEL
	VPCMPEQB 32(BYTES)(PLACE*1), DEL, HIDEL
	VPCMPEQB (BYTES)(PLACE*1), LO, LO
	VPCMPEQB 32(BYTES)(PLACE*1), HI, HI
	VPOR LODEL, LO, LO
	VPOR HIDEL, HI, HI
	VPMOVMSKB LO, V
	VPMOVMSKB HI, T0
	SHLQ $32, T0
	ORQ  T0, V
	LISTTAIL
	RET

marked:
	VPCMPEQB DEL, MOST, MOST
	VPTEST MOST, MOST
	JNZ  deleted
done:
	MOVQ PLACE, LEFT
	RET

deleted:
	XORL ENTRY, ENTRY
	RET

#define MOST512    Z2
#define BLOCK512   Z3
#define CONTROL512 Z0
#define DEL512     Z1

// The same with AVX-512, where a block is one register.
TEXT ·listAVX512(SB), NOSPLIT|NOFRAME, $0
	MOVL $0x20202020, T0
	VPBROADCASTD T0, CONTROL512 // the least that is none
	MOVL $0x7f7f7f7f, T0
	VPBROADCASTD T0, DEL512
	XORL PLACE, PLACE
	TESTQ FULL, FULL
	JEQ  tail
	VPXORQ MOST512, MOST512, MOST512

block:
	VMOVDQU64 (BYTES)(PLACE*1), BLOCK512
	VPCMPUB $1, CONTROL512, BLOCK512, K1 // <
	VPMAXSB BLOCK512, MOST512, MOST512
	KMOVQ K1, V
	TESTQ V, V
	LIST
	NEXTBLOCK(block, marked)
	VPCMPEQB DEL512, MOST512, K2
	KMOVQ K2, T0
	TESTQ T0, T0
	JNZ  deleted
	CMPQ PLACE, $(64*const_headBlocks)
	JEQ  done

tail:
	VMOVDQU64 (BYTES)(PLACE*1), BLOCK512
	VPCMPUB $1, CONTROL512, BLOCK512, K1
	VPCMPEQB DEL512, BLOCK512, K2
	KMOVQ K1, V
	KMOVQ K2, T0
	ORQ  T0, V
	LISTTAIL
	RET

marked:
	VPCMPEQB DEL512, MOST512, K2
	KMOVQ K2, T0
	TESTQ T0, T0
	JNZ  deleted
done:
	MOVQ PLACE, LEFT
	RET

deleted:
	XORL ENTRY, ENTRY
	RET

DATA limits<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f // the greatest below SP
DATA limits<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA limits<>+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA limits<>+24(SB)/8, $0x7f7f7f7f7f7f7f7f
GLOBL limits<>(SB), RODATA|NOPTR, $32
