// The walk over a head that has been marked.

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
#define K     R11 // in eighths: it is X's place in the bitmap
#define T     R12
#define I     R13 // where in Fields the next one goes, an offset
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
	LEAQ (DX*8), AX
	MOVQ AX, MASK(masks_end)
	XORL SEEN, SEEN
	XORL I, I
	XORL S, S
	XORL K, K
	MOVQ K, MASK(masks_base)
	MOVQ K, MASK(masks_eol)
	MOVQ K, MASK(masks_size)
	MOVB K, MASK(masks_request)
	MOVQ K, Head_dup(HEAD)
	MOVQ DX, b_cap+24(FP) // of no other use: where blocks end, in eighths

	// Words are loaded without asking whether they end behind the buffer, by up
	// to fifteen bytes, so its page must go on for that long; and what is there
	// must not make an LF for a CR at the end. Where it does not hold, it is Go's.
	MOVQ b_base+8(FP), BYTES
	MOVQ b_len+16(FP), AX
	LEAQ -1(BYTES)(AX*1), AX // the last byte
	CMPB (AX), $'\r'
	JEQ  stop
	ANDL $4095, AX
	CMPL AX, $(4095-15)
	JGT  stop

	SHLQ $const_fieldShift, limit+32(FP)
	MOVQ MASK(masks_v), X
	CMPB kind+40(FP), $const_noStart
	JEQ  line

start:
	TZCNTQ X, E
	JCC  startend
	ADDQ $8, K
	CMPQ K, b_cap+24(FP)
	JGE  stop
	MOVQ MASK(masks_v)(K*1), X
	JMP  start

startend:
	LEAQ (E)(K*8), E
	MOVQ E, MASK(masks_eol)
	CMPW (BYTES)(E*1), $0x0a0d // CR LF
	JNE  stop
	LEAQ 2(E), S
	BLSRQ X, X
	BLSRQ X, X // of the LF, unless it is in the next block
	CMPB kind+40(FP), $const_requestLine
	JEQ  request

line:
	TZCNTQ X, E
	JCS  nextblock

inblock:
	LEAQ (E)(K*8), E
	CMPQ E, S
	JLE  emptyline
	CMPW (BYTES)(E*1), $0x0a0d
	JNE  stop
	CMPQ I, limit+32(FP)
	JGE  stop

	// The name ends at the first byte that is none of a token's. Of the bits from
	// S on 57 at least are loaded; if none is set, L is 64.
	MOVQ S, AX
	MOVL S, DX
	SHRQ $3, AX
	ANDL $7, DX
	SHRXL DX, MASK(masks_n)(AX*1), CX
	TZCNTL CX, L
	JCS  farcolon
colon:
	LEAQ (BYTES)(S*1), DX
	CMPB (DX)(L*1), $':'
	JNE  stop

	// The one well-known name that its first sixteen bytes can be (hashField), and
	// whether it is.
	LEAQ ·names(SB), T
	MOVQ (DX), AX
	MOVQ 8(DX), CX
	ANDQ nameTable_upper(T)(L*8), AX
	ANDQ nameTable_lower(T)(L*8), CX
	ORQ  nameTable_fold(T), AX
	ORQ  nameTable_marks(T)(L*8), CX
	LEAQ (AX)(CX*8), DX
	IMULQ nameTable_mult(T), DX
	SHRQ $(64-const_hashBits), DX
	MOVWLZX nameTable_slots(T)(DX*2), DX
	XORQ (nameTable_known+knownName_name+0)(T)(DX*1), AX
	XORQ (nameTable_known+knownName_name+8)(T)(DX*1), CX
	SHRL $const_idShift, DX
	ORQ  CX, AX
	JNE  unknown
	CMPQ L, $16
	JGT  longname

known: // the value, without its blanks: one in front of it is the rule
	LEAQ 1(S)(L*1), AX
	MOVQ Head_Fields(HEAD), CX
	MOVL S, Field_NameOff(CX)(I*1)
	LEAQ 2(E), S
	CMPB (BYTES)(AX*1), $' '
	JNE  noblank
	INCQ AX
noblank:
	CMPB (BYTES)(AX*1), $' '
	JLS  trim
	CMPB -1(BYTES)(E*1), $' '
	JLS  trimend

field:
	SUBQ AX, E
	MOVL AX, Field_ValueOff(CX)(I*1)
	MOVL E, Field_ValueLen(CX)(I*1)
	MOVW L, Field_NameLen(CX)(I*1)
	MOVB DX, Field_ID(CX)(I*1)
	BTSQ DX, SEEN
	JCS  again
	MOVL I, Head_first(HEAD)(DX*4)

next:
	ADDQ $(1<<const_fieldShift), I
	BLSRQ X, X
	BLSRQ X, X
	TZCNTQ X, E
	JCC  inblock

nextblock:
	ADDQ $8, K
	CMPQ K, b_cap+24(FP)
	JGE  stop
	MOVQ MASK(masks_v)(K*1), X
	TZCNTQ X, E
	JCC  inblock
	JMP  nextblock

farcolon:
	SHRXQ DX, MASK(masks_n)(AX*1), CX
	TZCNTQ CX, L
	JMP  colon

again: // seen before
	MOVL $1, AX
	SHLXQ DX, AX, AX
	ORQ  AX, Head_dup(HEAD)
	JMP  next

unknown:
	XORL DX, DX
	CMPQ L, $64
	JEQ  stop
	TESTQ L, L
	JEQ  stop
	JMP  known

longname: // its first sixteen bytes are right
	CMPQ L, nameTable_size(T)(DX*8)
	JNE  unknown
	MOVL DX, CX
	SHLL $const_idShift, CX
	LEAQ (BYTES)(S*1), AX
	MOVQ -8(AX)(L*1), AX
	ORQ  nameTable_fold(T), AX
	CMPQ AX, (nameTable_known+knownName_name+16)(T)(CX*1)
	JNE  unknown
	CMPQ L, $24
	JLE  known
	MOVQ 16(BYTES)(S*1), AX
	ORQ  nameTable_fold(T), AX
	CMPQ AX, (nameTable_known+knownName_name+24)(T)(CX*1)
	JNE  unknown
	JMP  known

	// AX goes up to the first byte of the value that is not a blank; CR ends it.
trimnext:
	INCQ AX
trim:
	MOVBLZX (BYTES)(AX*1), T
	CMPL T, $' '
	JEQ  trimnext
	CMPL T, $'\t'
	JEQ  trimnext

trimend: // E goes down to behind its last, or to its first
	CMPQ E, AX
	JLE  field
	MOVBLZX -1(BYTES)(E*1), T
	CMPL T, $' '
	JEQ  trimblank
	CMPL T, $'\t'
	JNE  field
trimblank:
	DECQ E
	JMP  trimend

emptyline:
	JLT  leftover
	CMPW (BYTES)(E*1), $0x0a0d
	JNE  stop
	LEAQ 2(S), T
	MOVQ T, MASK(masks_size)
stop:
	MOVQ S, MASK(masks_line)
	SHRQ $const_fieldShift, I
	MOVQ I, MASK(masks_taken)
	MOVQ SEEN, Head_seen(HEAD)
	RET

leftover: // the LF of the line before, the first of this block
	BLSRQ X, X
	JMP  line

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

avx2:
	CALL ·markAVX2(SB)
	JMP  walk
