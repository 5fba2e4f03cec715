//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The walk over a head's first window, right behind the scan: a request line is
// read, of another start line the end is noted, then fields are completed, line
// by line, while lines are in order and everything about them is plain. At the
// first that is not, the walk stops in front of it, and the one in Go goes on
// from there: what is rare is written once, and what is wrong is told there.
//
// Lines are found from the controls alone, X being those of the block at K from
// the line's start on; what is found out about a name or a value is in nobody's
// way to the next line. Nothing branches on a name's length, nor on what it is.

#define HEAD  BX
#define BYTES SI
#define SEEN  DI  // bit per id
#define S     R8  // where the line begins
#define E     R9  // where it ends
#define X     R10
#define K     R11
#define T     R12
#define I     R13 // fields completed
#define L     R14 // the name's length

#define MASK(field) (Head_m+field)(HEAD)

// func head(h *Head, b []byte, limit int, kind startKind)
TEXT ·head(SB), NOSPLIT|NOFRAME, $0-41
	MOVQ h+0(FP), HEAD
	MOVQ b_base+8(FP), BYTES
	MOVQ b_len+16(FP), CX
	LEAQ Head_m(HEAD), DI
	CMPB ·machine(SB), $const_levelAVX512
	JNE  avx2
	CALL ·markAVX512(SB) // takes SI, CX, DI; leaves 8 × blocks marked in DX
walk:
	MOVQ b_base+8(FP), BYTES
	SHLQ $3, DX
	MOVQ DX, MASK(masks_end)
	XORL SEEN, SEEN
	XORL I, I
	XORL S, S
	XORL K, K
	MOVQ K, MASK(masks_base)
	MOVQ K, MASK(masks_size)
	MOVB K, MASK(masks_request)
	MOVQ K, Head_dup(HEAD)
	MOVQ MASK(masks_v), X
	CMPB kind+40(FP), $const_noStart
	JEQ  line

start:
	TZCNTQ X, E
	JCC  startend
	ADDQ $64, K
	MOVQ K, E
	CMPQ K, MASK(masks_end)
	JGE  startcut
	MOVQ K, AX
	SHRQ $3, AX
	MOVQ MASK(masks_v)(AX*1), X
	JMP  start

startcut:
	MOVQ E, MASK(masks_eol)
	JMP  stop

startend:
	ADDQ K, E
	MOVQ E, MASK(masks_eol)
	LEAQ 2(E), S
	CMPQ S, b_len+16(FP)
	JGT  stop
	MOVWLZX (BYTES)(E*1), AX
	CMPL AX, $0x0a0d // CR LF
	JNE  stop
	BLSRQ X, X
	BLSRQ X, X // of the LF, unless it is in the next block
	CMPB kind+40(FP), $const_requestLine
	JEQ  request

line:
	TZCNTQ X, E
	JCS  nextblock
	ADDQ K, E
	CMPQ E, S
	JLE  emptyline
	LEAQ 2(E), T
	CMPQ T, b_len+16(FP)
	JGT  stop
	MOVWLZX (BYTES)(E*1), AX
	CMPL AX, $0x0a0d
	JNE  stop
	CMPQ I, limit+32(FP)
	JGE  stop

	// The name ends at the first byte that is none of a token's. Two words of
	// bits are joined to have the 64 from S on. There is one in front of E, or
	// E is farther off than that.
	MOVQ S, AX
	SHRQ $6, AX
	MOVQ MASK(masks_n)(AX*8), CX
	MOVQ (Head_m+masks_n+8)(HEAD)(AX*8), DX
	SHRXQ S, CX, CX
	ADDQ DX, DX
	MOVQ S, AX
	NOTQ AX
	SHLXQ AX, DX, DX
	ORQ  DX, CX
	TZCNTQ CX, L
	LEAQ (BYTES)(S*1), DX
	CMPB (DX)(L*1), $':'
	JNE  stop
	TESTQ L, L
	JEQ  stop

	// Its first eight bytes and its last eight, or all of a shorter one twice,
	// without what is behind it.
	LEAQ 8(S), AX
	CMPQ AX, b_len+16(FP)
	JGT  nearend
load:
	XORL T, T
	LEAQ -8(L), CX
	TESTQ CX, CX
	CMOVQLT T, CX
	MOVQ (DX)(CX*1), CX
	MOVQ (DX), AX
	LEAQ (L*8), T
	BZHIQ T, AX, AX
	BZHIQ T, CX, CX
	MOVQ $0x2020202020202020, T
	ORQ  T, AX
	ORQ  T, CX

	// The one well-known name that it can be (hashField), and whether it is.
	LEAQ (AX)(CX*8), DX
	ADDQ L, DX
	MOVQ $const_fieldMult, T
	IMULQ T, DX
	SHRQ $(64-const_hashBits), DX
	LEAQ ·fieldSlots(SB), T
	MOVWLZX (T)(DX*2), DX
	LEAQ ·knownNames(SB), T
	MOVL DX, E
	SHLL $6, E
	ANDL $(63*64), E
	ADDQ E, T
	XORQ (knownName_name+0)(T), AX
	XORQ (knownName_name+8)(T), CX
	ORQ  CX, AX
	MOVL DX, CX
	SHRL $8, CX
	XORQ L, CX
	ANDL $63, DX
	ORQ  CX, AX
	JNE  unknown
	CMPQ L, $16
	JGT  longname

known:
	// The value, without its blanks: one in front of it is the rule.
	TZCNTQ X, E
	ADDQ K, E
	XORL CX, CX
	LEAQ 1(S)(L*1), AX
	CMPB (BYTES)(AX*1), $' '
	SETEQ CX
	ADDQ CX, AX
	CMPB (BYTES)(AX*1), $' '
	JLS  trim
	CMPB -1(BYTES)(E*1), $' '
	JLS  trimend
	LEAQ 2(E), T

field:
	// The field. ID and NameLen share a word.
	MOVQ I, CX
	SHLQ $4, CX
	ADDQ Head_Fields(HEAD), CX
	SUBQ AX, E
	MOVL S, Field_NameOff(CX)
	MOVL AX, Field_ValueOff(CX)
	MOVL E, Field_ValueLen(CX)
	MOVW L, Field_NameLen(CX)
	MOVB DX, Field_ID(CX)

	// Seen, seen twice, and where first.
	XORL AX, AX
	MOVWLZX Head_first(HEAD)(DX*2), CX
	BTSQ DX, SEEN
	CMOVLCC I, CX
	SETCS AX
	MOVW CX, Head_first(HEAD)(DX*2)
	SHLXQ DX, AX, AX
	ORQ  AX, Head_dup(HEAD)

	INCQ I
	MOVQ T, S
	BLSRQ X, X
	BLSRQ X, X
	JMP  line

unknown:
	XORL DX, DX
	JMP  known

request: // its version stands at its end, the method's name at its start
	CMPQ E, $const_minRequest
	JLT  stop
	MOVQ -9(BYTES)(E*1), AX
	MOVQ $const_version, CX
	CMPQ AX, CX
	JNE  stop
	MOVBLZX -1(BYTES)(E*1), DX
	SUBL $'0', DX
	CMPL DX, $1
	JHI  stop
	MOVL $3, L
	MOVL $const_MethodGet, CX
	CMPL (BYTES), $const_get
	JNE  method

	// Its target ends at the first byte that is none of a target's. That one
	// must be the blank before the version.
target:
	MOVB DX, Head_Minor(HEAD)
	MOVB CX, Head_Method(HEAD)
	LEAQ 1(L), T
	MOVQ MASK(masks_t), AX
	SHRXQ T, AX, AX
	SHLXQ T, AX, AX
	XORL CX, CX
targetend:
	TZCNTQ AX, DX
	JCS  targetblock
	LEAQ 9(DX)(CX*8), DX
	CMPQ DX, E
	JNE  stop
	LEAQ -9(E), AX
	SUBQ T, AX
	JLE  stop
	SHLQ $32, L
	MOVQ L, Head_Name(HEAD)
	SHLQ $32, AX
	ORQ  T, AX
	MOVQ AX, Head_Target(HEAD)
	MOVB $1, MASK(masks_request)
	JMP  line

targetblock: // CR would end the search if nothing else did
	ADDQ $8, CX
	MOVQ MASK(masks_t)(CX*1), AX
	JMP  targetend

method: // one that Go will have to look up
	TZCNTQ MASK(masks_n), L
	CMPQ L, $62
	JHI  stop
	TESTQ L, L
	JEQ  stop
	CMPB (BYTES)(L*1), $' '
	JNE  stop
	XORL CX, CX
	JMP  target

longname: // a name of more than 16 bytes
	MOVQ $0x2020202020202020, AX
	MOVQ 8(BYTES)(S*1), CX
	ORQ  AX, CX
	CMPQ CX, (knownName_name+16)(T)
	JNE  unknown
	CMPQ L, $24
	JLE  known
	MOVQ 16(BYTES)(S*1), CX
	ORQ  AX, CX
	CMPQ CX, (knownName_name+24)(T)
	JNE  unknown
	JMP  known

avx2:
	CALL ·markAVX2(SB)
	JMP  walk

nearend: // a word from S on would end behind the buffer: but on its page?
	MOVL DX, AX
	ANDL $4095, AX
	CMPL AX, $(4096-8)
	JLE  load
	JMP  stop

	// AX goes up to the first byte of the value that is not a blank; CR ends it.
trimnext:
	INCQ AX
trim:
	MOVBLZX (BYTES)(AX*1), CX
	CMPL CX, $' '
	JEQ  trimnext
	CMPL CX, $'\t'
	JEQ  trimnext

	// E, having been noted, goes down to behind its last, or to its first.
trimend:
	LEAQ 2(E), T
trimback:
	CMPQ E, AX
	JLE  field
	MOVBLZX -1(BYTES)(E*1), CX
	CMPL CX, $' '
	JEQ  trimblank
	CMPL CX, $'\t'
	JNE  field
trimblank:
	DECQ E
	JMP  trimback

nextblock:
	ADDQ $64, K
	CMPQ K, MASK(masks_end)
	JGE  stop
	MOVQ K, AX
	SHRQ $3, AX
	MOVQ MASK(masks_v)(AX*1), X
	JMP  line

emptyline:
	JLT  leftover
	LEAQ 2(S), T
	CMPQ T, b_len+16(FP)
	JGT  stop
	MOVWLZX (BYTES)(E*1), AX
	CMPL AX, $0x0a0d
	JNE  stop
	MOVQ T, MASK(masks_size)
stop:
	MOVQ S, MASK(masks_line)
	MOVQ I, MASK(masks_taken)
	MOVQ SEEN, Head_seen(HEAD)
	RET

leftover: // the LF of the line before, the first of this block
	BLSRQ X, X
	JMP  line
