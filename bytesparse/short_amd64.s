// The walk over a request head of fewer than 64 bytes, with AVX2.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "walk_amd64.h"

// A short head is a single block: its marks stay in a register, and no list is made of them.
// Each line's end is checked before the next line is looked at, so that the next mark is not
// before the start of that line; if it is right there, this is the empty line. At anything
// that is not plain the walk gives up, and the one over heads of any size begins anew.

#define NEXT R13 // address of the next field
#undef DUP
#define DUP  R11 // instead of ENTRY: HEAD is kept

// Until the block is marked:
#define CONTROL Y0
#define DEL     Y1
#define LO      Y2
#define HI      Y3
#define LODEL   Y4
#define HIDEL   Y5

// func short(h *Head, b []byte) (n int)
TEXT ·short(SB), NOSPLIT|NOFRAME, $0-40
	MOVQ h+0(FP), HEAD
	MOVQ b_base+8(FP), BYTES

	// Up to 96 bytes from the start of b are loaded: they must be on its page.
	MOVL BYTES, T
	ANDL $4095, T
	CMPL T, $(4096-96)
	JHI  none
	VBROADCASTI128 ·limits+0(SB), CONTROL
	VBROADCASTI128 ·limits+16(SB), DEL
	XORL PLACE, PLACE
	BLOCKTAIL
	MOVQ b_len+16(FP), T
	BZHIQ T, V, X // without those behind b
	TZCNTQ X, E // 64 if there is no mark: this shows at the first line
	CMPW (BYTES)(E*1), $0x0a0d // CR LF
	JNE  none
	CMPQ E, $const_minStart
	JLT  none
	VBROADCASTI128 ·walkTable+0(SB), TOKENCOLUMNS
	VBROADCASTI128 ·walkTable+16(SB), TARGETCOLUMNS
	VBROADCASTI128 ·walkTable+32(SB), ROWS
	VBROADCASTI128 ·walkTable+48(SB), LOWHALF
	VPXOR ZERO, ZERO, ZERO
	LEAQ ·known(SB), KNOWN

	MOVQ $const_http11, FOUND
	MOVL $(1<<const_minorShift|const_MethodGet), T2
	CMPQ FOUND, -8(BYTES)(E*1)
	JNE  version
method:
	MOVL $4, T
	CMPL (BYTES), $const_get
	JNE  othermethod
target:
	MOVQ T2, Head_Method(HEAD) // and Minor, and Status and the method's offset, which are 0
	LEAL -1(T), T2
	MOVL T2, Head_Name+4(HEAD)
	VMOVDQU (BYTES)(T*1), NAME
	NOT(TARGETCOLUMNS, FOUND)
	TZCNTL FOUND, FOUND
	JLS  none // it is empty, or longer than 31 bytes
	LEAQ 9(T)(FOUND*1), AT
	CMPB -9(BYTES)(AT*1), $' '
	JNE  none
	CMPQ AT, E
	JNE  none
	MOVL T, Head_Target(HEAD)
	MOVQ FOUND, Head_Target+4(HEAD) // and Reason, which is empty
	MOVL $0, Head_Reason+4(HEAD)

	MOVQ Head_Fields(HEAD), NEXT
	MOVQ $-1, UNSEEN
	XORL DUP, DUP
line:
	LEAQ 2(E), S
	BLSRQ X, X
	BLSRQ X, X
	JEQ  none // the head is incomplete
	TZCNTQ X, E
	CMPQ E, S
	JEQ  end
	VMOVDQU (BYTES)(S*1), NAME
	NOT(TOKENCOLUMNS, FOUND)
	TZCNTL FOUND, L
	JLS  none
	LEAQ 2(S)(L*1), AT
	CMPW -2(BYTES)(AT*1), $0x203a // colon and blank
	JNE  none
	IDENTIFY
	CMPB (BYTES)(AT*1), $' '
	JLS  none
	MOVL S, Field_NameOff(NEXT)
	CHECKEND
	JHI  none
	MOVL AT, Field_ValueOff(NEXT)
	NEGL AT
	ADDL E, AT
	MOVL AT, Field_ValueLen(NEXT)
	MOVL FOUND, Field_ID(NEXT) // and NameLen
	NOTE
	ADDQ $(1<<const_fieldShift), NEXT
	JMP  line

end:
	CMPW (BYTES)(S*1), $0x0a0d
	JNE  none
	ADDQ $2, S
	CMPQ S, b_len+16(FP)
	JHI  none
	SUBQ Head_Fields(HEAD), NEXT
	SARQ $const_fieldShift, NEXT
	COMPLETE(HEAD, NEXT)
	MOVQ S, n+32(FP)
	VZEROUPPER
	RET

none:
	XORL S, S
	MOVQ S, n+32(FP)
	VZEROUPPER
	RET

version: // not HTTP/1.1: is it HTTP/1.0?
	MOVQ $const_http10, FOUND
	MOVL $const_MethodGet, T2
	CMPQ FOUND, -8(BYTES)(E*1)
	JEQ  method
	JMP  none

othermethod:
	LOOKUPMETHOD(none)
	JMP  target
