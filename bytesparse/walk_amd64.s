// A head, marked and walked over.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "walk_amd64.h"

// First a list is made of the blocks that have controls, with the marks of these: so
// the next line's end is found without a branch, which no predictor could learn. Then
// a request line is read, of another start line the end is noted, and fields are
// completed, line by line, while lines are in order and everything about them is plain.
// At the first that is not, the walk stops in front of it, and the one in Go goes on
// from there: what is rare is written once, and what is wrong is told there.
//
// Of a name 32 bytes are looked at in one go: where it ends, that what is in front of
// that are token bytes, and which well-known name it is. A byte is looked up by its
// two halves: the low one finds the rows (high halves) that have a byte of the class in
// that column, the high one its own row's bit. Bytes from 0x80 on find nothing.
//
// The list has, of each block with a control byte, its marks and where it stands. Where a
// block has none, the next one takes its place. Whether there is a DEL among the full
// blocks, the greatest of signed bytes, is looked for once: it is hardly ever there, and
// then the walk in Go has the head to itself.

// While the list is made:
#define CONTROL Y0
#define DEL     Y1
#define MOST    Y2
#define LO      Y3
#define HI      Y4
#define LODEL   Y5
#define HIDEL   Y6

// func head(h *Head, b []byte, limit int, kind startKind) (n int)
TEXT ·head(SB), NOSPLIT|NOFRAME, $0-56
	MOVQ h+0(FP), HEAD
	MOVQ b_base+8(FP), BYTES
	MOVQ b_len+16(FP), LEFT

	// Up to 64 bytes behind the last one are loaded: they must be the caller's, or of
	// its page. And what is there must not make an LF for a CR at the end.
	LEAQ -1(BYTES)(LEFT*1), T
	CMPB (T), $'\r'
	JEQ  early
	ANDL $4095, T
	CMPL T, $(4096-65)
	JLE  roomy
	MOVQ b_cap+24(FP), T
	SUBQ LEFT, T
	CMPQ T, $64
	JLT  early
roomy:
	MOVL $(64*const_headBlocks), FULL
	LEAQ Head_m+masks_list(HEAD), ENTRY
	CMPQ LEFT, FULL
	CMOVQLT LEFT, FULL
	ANDQ $~63, FULL
	CMPB ·machine(SB), $const_levelAVX512
	JEQ  avx512

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
	JNZ  early
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
	JMP  listed

marked:
	VPCMPEQB DEL, MOST, MOST
	VPTEST MOST, MOST
	JNZ  early
done:
	MOVQ PLACE, LEFT

listed:
	// Behind the list the last byte is marked: it ends no line that was not there before.
	DECQ LEFT
	MOVQ $1, T
	MOVQ LEFT, 8(ENTRY)
	MOVQ T, (ENTRY)
	MOVQ ENTRY, b_len+16(FP) // of no other use
	VBROADCASTI128 walkTable<>+0(SB), TOKENCOLUMNS
	VBROADCASTI128 walkTable<>+16(SB), TARGETCOLUMNS
	VBROADCASTI128 walkTable<>+32(SB), ROWS
	VBROADCASTI128 walkTable<>+48(SB), LOWHALF
	VPXOR ZERO, ZERO, ZERO
	LEAQ Head_m+masks_list(HEAD), ENTRY
	LEAQ ·known(SB), KNOWN
	MOVQ Head_Fields(HEAD), FIELD
	MOVQ limit+32(FP), T
	SHLQ $const_fieldShift, T
	ADDQ FIELD, T
	MOVQ T, limit+32(FP) // where fields must end
	XORL SEEN, SEEN

	MOVQ (ENTRY), X // of the start line
	TZCNTQ X, E
	ADDQ 8(ENTRY), E
	MOVQ E, MASK(masks_eol)
	CMPW (BYTES)(E*1), $0x0a0d // CR LF
	JNE  none
	CMPB kind+40(FP), $const_statusLine
	JEQ  lineend

	// A request's version stands at its end, the method's name at its start.
	CMPQ E, $const_minRequest
	JLT  none
	MOVQ -9(BYTES)(E*1), AX
	MOVQ $const_version, CX
	CMPQ AX, CX
	JNE  none
	MOVBLZX -1(BYTES)(E*1), DX
	SUBL $'0', DX
	CMPL DX, $1
	JHI  none
	MOVL $const_MethodGet, AX
	MOVL $4, T // where its target begins
	CMPL (BYTES), $const_get
	JNE  method
target:
	MOVB DX, Head_Minor(HEAD)
	MOVB AX, Head_Method(HEAD)
	LEAQ -1(T), AX
	SHLQ $32, AX
	MOVQ AX, Head_Name(HEAD)

	// The target ends at the first byte that is none of a target's. That one must be
	// the blank before the version.
	MOVQ T, DX
targetend:
	VMOVDQU (BYTES)(DX*1), NAME
	NOT(TARGETCOLUMNS, CX)
	TZCNTL CX, AX
	JCS  targetnext
	LEAQ 9(AX)(DX*1), DX
	CMPQ DX, E
	JNE  none
	SUBQ $9, DX
	SUBQ T, DX
	JLE  none
	SHLQ $32, DX
	ORQ  T, DX
	MOVQ DX, Head_Target(HEAD)
	MOVB $1, MASK(masks_request)
lineend:
	LEAQ 2(E), S
	XORL DUP, DUP
	JMP  nextline

line:
	CMPW (BYTES)(E*1), $0x0a0d
	JNE  stop
	CMPQ FIELD, limit+32(FP)
	JGE  stop

	VMOVDQU (BYTES)(S*1), NAME
	LEAQ (BYTES)(S*1), DX
	NOT(TOKENCOLUMNS, CX)
	TZCNTL CX, L
	JLS  oddname // none, or not within 32 bytes
	CMPW (DX)(L*1), $0x203a // colon and a blank, as is the rule
	JNE  oddcolon
	IDENTIFY
	MOVL S, Field_NameOff(FIELD)
	CMPB 2(DX)(L*1), $' '
	JLS  oddvalue
	LEAQ 2(S)(L*1), AX // behind the colon and one blank
	LEAQ 2(E), S
	CMPB -1(BYTES)(E*1), $' '
	JLS  trimend

field:
	SUBQ AX, E
	SHRL $2, CX
	MOVL AX, Field_ValueOff(FIELD)
	MOVL E, Field_ValueLen(FIELD)
	MOVW L, Field_NameLen(FIELD)
	MOVB CX, Field_ID(FIELD)
	SHLXQ CX, knownTable_one(KNOWN), AX
	MOVQ AX, T
	ANDQ SEEN, T
	ORQ  AX, SEEN
	ORQ  T, DUP
	ADDQ $(1<<const_fieldShift), FIELD

nextline:
	BLSRQ X, X
	BLSRQ X, X // of the LF, unless it is in the next block
	JNE again
	ADDQ $16, ENTRY
	MOVQ (ENTRY), X
again:
	TZCNTQ X, E
	ADDQ 8(ENTRY), E
	CMPQ E, S
	JGT  line
	JLT  leftover

	CMPW (BYTES)(E*1), $0x0a0d // of the empty line
	JNE  stop
	MOVQ h+0(FP), T
	ADDQ $2, S
	SUBQ Head_Fields(T), FIELD
	SHRQ $const_fieldShift, FIELD
	MOVQ SEEN, Head_seen(T)
	MOVQ DUP, Head_dup(T)
	MOVQ FIELD, Head_Fields+8(T) // its length
	MOVQ S, Head_Size(T)
	MOVQ S, n+48(FP)
	VZEROUPPER
	RET

stop: // in front of the line at S
	MOVQ h+0(FP), AX
	MOVQ S, (Head_m+masks_line)(AX)
	SUBQ Head_Fields(AX), FIELD
	SHRQ $const_fieldShift, FIELD
	MOVQ DUP, T
	JMP  give

early: // of the start line nothing is known
	XORL T, T
	MOVQ T, MASK(masks_eol)
none: // of the request line nothing is, and of the fields
	MOVQ HEAD, AX
	XORL T, T
	MOVB T, (Head_m+masks_request)(AX)
	XORL SEEN, SEEN
	XORL FIELD, FIELD
give:
	MOVQ SEEN, Head_seen(AX)
	MOVQ T, Head_dup(AX)
	XORL T, T
	MOVQ FIELD, (Head_m+masks_taken)(AX)
	MOVQ T, (Head_m+masks_base)(AX)
	MOVQ T, (Head_m+masks_end)(AX)
	MOVQ T, n+48(FP)
	VZEROUPPER
	RET

leftover: // the LF of the line before, the first of this block
	BLSRQ X, X
	JNZ  again
	CMPQ ENTRY, b_len+16(FP)
	JGE  stop
	ADDQ $16, ENTRY
	MOVQ (ENTRY), X
	JMP  again

oddname:
	JCC  stop // it is empty
	VMOVDQU 32(DX), NAME
	NOT(TOKENCOLUMNS, CX)
	TZCNTL CX, L
	JCS  stop
	ADDL $32, L
	CMPB (DX)(L*1), $':'
	JNE  stop
	XORL CX, CX
	MOVL S, Field_NameOff(FIELD)
	JMP  oddvalue

oddcolon:
	CMPB (DX)(L*1), $':'
	JNE  stop
	IDENTIFY
	MOVL S, Field_NameOff(FIELD)
oddvalue:
	LEAQ 1(S)(L*1), AX
	LEAQ 2(E), S
	JMP  trim

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

targetnext: // CR would end the search if nothing else did
	ADDQ $32, DX
	JMP  targetend

method: // by its first four bytes and its length (hashStart), if it is that one, blank included
	VMOVDQU (BYTES), NAME
	NOT(TOKENCOLUMNS, CX)
	TZCNTL CX, T
	JLS  none
	CMPB (BYTES)(T*1), $' '
	JNE  none
	MOVL (BYTES), AX
	ADDL T, AX
	IMUL3L $const_startMult, AX, AX
	SHRL $(32-const_methodBits), AX
	MOVBLZX knownTable_methodSlots(KNOWN)(AX*1), AX
	MOVL AX, CX
	SHLL $4, CX
	VPCMPEQB knownTable_method(KNOWN)(CX*1), NAME16, NAME16
	VPMOVMSKB NAME16, CX
	ANDNL knownTable_methodMask(KNOWN)(AX*4), CX, CX
	CMOVLNE knownTable_none(KNOWN), AX // Go may know it
	INCQ T
	JMP  target

avx512:
	CALL ·listAVX512(SB) // takes BYTES, LEFT, FULL, ENTRY; leaves LEFT, ENTRY
	TESTQ ENTRY, ENTRY
	JNE  listed
	JMP  early

DATA walkTable<>+0(SB)/8, $0xfcfcfcfcfcf8fce8 // columns of token bytes
DATA walkTable<>+8(SB)/8, $0x70f454d054f4f8f8
DATA walkTable<>+16(SB)/8, $0xfcfcfcfcf8f8fcb8 // columns of target bytes
DATA walkTable<>+24(SB)/8, $0x7cd47c547cfcfcfc
DATA walkTable<>+32(SB)/8, $0x8040201008040000 // rows
DATA walkTable<>+40(SB)/8, $0x0000000000000000
DATA walkTable<>+48(SB)/8, $0x0f0f0f0f0f0f0f0f // low halves
DATA walkTable<>+56(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA walkTable<>+64(SB)/8, $0x2020202020202020 // what tells the cases of a letter apart
DATA walkTable<>+72(SB)/8, $0x2020202020202020
DATA walkTable<>+80(SB)/8, $0x2020202020202020
DATA walkTable<>+88(SB)/8, $0x2020202020202020
GLOBL walkTable<>(SB), RODATA|NOPTR, $96
DATA limits<>+0(SB)/8, $0x1f1f1f1f1f1f1f1f // the greatest below SP
DATA limits<>+8(SB)/8, $0x1f1f1f1f1f1f1f1f
DATA limits<>+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA limits<>+24(SB)/8, $0x7f7f7f7f7f7f7f7f
GLOBL limits<>(SB), RODATA|NOPTR, $32
