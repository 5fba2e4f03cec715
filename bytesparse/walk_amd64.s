// The fast walk over a head, with AVX2; its list of blocks is also built with AVX-512.

//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "walk_amd64.h"

// First, a list is built of the blocks that have controls, with their marks: the next
// line's end is then found without a branch, which no predictor could learn. Then the
// request line is read (of any other start line only the end is noted), and fields are
// filled in, line by line, as long as lines are valid and plain. At the first line that
// is not, the walk stops, and the one in Go continues from there: rare cases are handled
// in one place only, and so are errors.
//
// The first 32 bytes of a line are examined at once to find where the name ends, that
// only token bytes precede its end, and which well-known name it is. The class of a byte
// is looked up by its two halves: the low half (the column) selects the set of rows that
// have a byte of the class in that column, the high half (the row) selects its bit in
// that set. Bytes from 0x80 on are in no class.
//
// The list has the marks and the offset of each block with a control byte; the entry of a
// block without any is overwritten by the next. Full blocks are tested for DEL, the
// greatest of signed bytes, once for all of them: it hardly ever occurs, and if it does,
// the whole head is left to the walk in Go.

// While the list is built:
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

	// Up to 64 bytes past the end are loaded: they must be within the capacity of b, or on
	// the page of its last byte. And b must not end in a CR, which an LF after it would
	// complete.
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
	LEAQ Head_m+masks_list(HEAD), ENTRY
	CMPB ·machine(SB), $const_levelAVX512
	JEQ  avx512

	// 0x9f less a byte is 0x80 or more for controls below SP, and for nothing else.
	VBROADCASTI128 ·limits+0(SB), CONTROL
	VBROADCASTI128 ·limits+16(SB), DEL
	XORL PLACE, PLACE
	CMPQ LEFT, $64
	JLT  tail
	FULLBLOCKS
	VPXOR MOST, MOST, MOST

block:
	VPSUBUSB (BYTES)(PLACE*1), CONTROL, LO
	VPSUBUSB 32(BYTES)(PLACE*1), CONTROL, HI
	VPMAXSB  (BYTES)(PLACE*1), MOST, MOST
	VPMAXSB  32(BYTES)(PLACE*1), MOST, MOST
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

tail:
	BLOCKTAIL
	LISTTAIL
	JMP  listed

marked:
	VPCMPEQB DEL, MOST, MOST
	VPTEST MOST, MOST
	JNZ  early
done:
	MOVQ PLACE, LEFT

listed:
	MOVQ ENTRY, AT
	LEAQ Head_m+masks_list(HEAD), ENTRY
	CMPQ ENTRY, AT
	JEQ  blank
	MOVQ (ENTRY), X
	TZCNTQ X, E
	ADDQ 8(ENTRY), E // the start line ends here
	MOVQ AT, b_len+16(FP) // the end of the list; b_len is no longer needed
	CMPW (BYTES)(E*1), $0x0a0d // CR LF
	JNE  none
	CMPQ E, $const_minStart
	JLT  none

	// The list is terminated by the LF of the start line, which ends no line.
	LEAQ 1(E), T2
	MOVQ T2, 8(AT)
	MOVQ $1, (AT)
	VBROADCASTI128 ·walkTable+0(SB), TOKENCOLUMNS
	VBROADCASTI128 ·walkTable+32(SB), ROWS
	VBROADCASTI128 ·walkTable+48(SB), LOWHALF
	VPXOR ZERO, ZERO, ZERO
	LEAQ ·known(SB), KNOWN
	CMPB kind+40(FP), $const_statusLine
	JEQ  status

	// The request line ends with the version and begins with the method.
	MOVQ $const_http11, FOUND
	MOVL $(1<<const_minorShift|const_MethodGet), T2
	CMPQ FOUND, -8(BYTES)(E*1)
	JNE  version
method:
	MOVL $4, T
	CMPL (BYTES), $const_get
	JNE  othermethod
target:
	MOVL T2, Head_Method(HEAD) // and Minor, and Status, which is 0
	LEAL -1(T), T2
	MOVL $0, Head_Name(HEAD)
	MOVL T2, Head_Name+4(HEAD)

	// The target ends at the first byte that is not a target byte, which must be the blank
	// before the version.
	VBROADCASTI128 ·walkTable+16(SB), TARGETCOLUMNS
	VMOVDQU (BYTES)(T*1), NAME
	NOT(TARGETCOLUMNS, FOUND)
	TZCNTL FOUND, FOUND
	JLS  longtarget // or empty
targetend:
	LEAQ 9(T)(FOUND*1), AT
	CMPB -9(BYTES)(AT*1), $' '
	JNE  none
	CMPQ AT, E
	JNE  none
	MOVL T, Head_Target(HEAD)
	MOVL FOUND, Head_Target+4(HEAD)

fields:
	MOVQ limit+32(FP), FIELD
	SHLQ $const_fieldShift, FIELD
	MOVQ Head_Fields(HEAD), FIELDS
	ADDQ FIELD, FIELDS
	LEAQ 2(E), S
	MOVQ $-1, UNSEEN
	XORL DUP, DUP
	NEGQ FIELD
	JEQ  stop

line:
	BLSRQ X, X
	BLSRQ X, X // the LF's mark, unless it is in the next block
nextblock:
	CMOVQEQ 16(ENTRY), X // no branch: where lines end cannot be predicted
	LEAQ 16(ENTRY), T2
	CMOVQEQ T2, ENTRY
again:
	TZCNTQ X, E
	ADDQ 8(ENTRY), E

	VMOVDQU (BYTES)(S*1), NAME
	NOT(TOKENCOLUMNS, FOUND)
	TZCNTL FOUND, L
	JLS  oddname // no name, or one that does not end within 32 bytes
	LEAQ 2(S)(L*1), AT
	CMPW -2(BYTES)(AT*1), $0x203a // colon and blank, as usual
	JNE  oddcolon
	IDENTIFY
	MOVL S, Field_NameOff(FIELDS)(FIELD*1)
	CMPB (BYTES)(AT*1), $' '
	JLS  oddvalue
	LEAQ 2(E), S
	CHECKEND
	JHI  oddend
field:
	SUBQ AT, E
	MOVL AT, Field_ValueOff(FIELDS)(FIELD*1)
	MOVL E, Field_ValueLen(FIELDS)(FIELD*1)
	MOVL FOUND, Field_ID(FIELDS)(FIELD*1) // and NameLen
	NOTE
	ADDQ $(1<<const_fieldShift), FIELD
	JNE  line

stop: // at the line that begins at S
	MOVQ h+0(FP), T2
	MOVQ S, (Head_m+masks_line)(T2)
	SARQ $const_fieldShift, FIELD
	ADDQ limit+32(FP), FIELD
	MOVBLZX kind+40(FP), FOUND // masks.request: 1 if this was a request line
	JMP  give

blank: // LEFT bytes, none of them a control
	MOVQ LEFT, FOUND
	JMP  nothing
early:
	XORL FOUND, FOUND
nothing: // is known of the start line, except that it has no control in its first FOUND bytes
	MOVQ FOUND, (Head_m+masks_list+block_at)(HEAD)
	MOVQ $1, (Head_m+masks_list)(HEAD)
none: // no request line was read and no field; the list says where the start line ends
	MOVQ HEAD, T2
	XORL FOUND, FOUND
	XORL FIELD, FIELD
give:
	MOVB FOUND, (Head_m+masks_request)(T2)
	MOVQ FIELD, (Head_m+masks_taken)(T2)
	TZCNTQ (Head_m+masks_list)(T2), FOUND
	ADDQ (Head_m+masks_list+block_at)(T2), FOUND
	MOVQ FOUND, (Head_m+masks_eol)(T2)
	XORL AT, AT
	MOVQ AT, (Head_m+masks_base)(T2)
	MOVQ AT, (Head_m+masks_end)(T2)
	MOVQ AT, n+48(FP)
	VZEROUPPER
	RET

oddname:
	JCS  longname
	CMPQ E, S // is it the empty line?
	JLT  leftover
	CMPW (BYTES)(S*1), $0x0a0d
	JNE  stop
	MOVQ h+0(FP), T2
	ADDQ $2, S
	SARQ $const_fieldShift, FIELD
	ADDQ limit+32(FP), FIELD
	COMPLETE(T2, FIELD)
	MOVQ S, n+48(FP)
	VZEROUPPER
	RET

longname:
	VMOVDQU 32(BYTES)(S*1), NAME
	NOT(TOKENCOLUMNS, FOUND)
	TZCNTL FOUND, L
	JCS  unless
	ADDL $32, L
	LEAQ 2(S)(L*1), AT
	CMPB -2(BYTES)(AT*1), $':'
	JNE  unless
	MOVL L, FOUND
	SHLL $const_lenShift, FOUND
	JMP  trimstart

oddcolon:
	CMPB -2(BYTES)(AT*1), $':'
	JNE  unless
	IDENTIFY
trimstart:
	MOVL S, Field_NameOff(FIELDS)(FIELD*1)
	DECQ AT
oddvalue: // trimming needs the line's end: E must be at CR LF
	CMPW (BYTES)(E*1), $0x0a0d
	JNE  unless
	LEAQ 2(E), S
	JMP  trim
	// Advance AT to the first byte of the value that is neither a blank nor a tab; the CR stops
	// it.
trimnext:
	INCQ AT
trim:
	CMPB (BYTES)(AT*1), $' '
	JEQ  trimnext
	CMPB (BYTES)(AT*1), $'\t'
	JEQ  trimnext

trimend: // move E back to the end of the last byte that is neither a blank nor a tab, or to AT
	CMPQ E, AT
	JLE  field
	CMPB -1(BYTES)(E*1), $'\t'
	JEQ  trimlast
	CMPB -1(BYTES)(E*1), $' '
	JNE  field
trimlast:
	DECQ E
	JMP  trimend

oddend:
	CMPW (BYTES)(E*1), $0x0a0d
	JEQ  trimend
	MOVL Field_NameOff(FIELDS)(FIELD*1), S
unless: // the line is left to the walk in Go, unless E is not its end yet
	CMPQ E, S
	JLT  leftover
	CMPB (BYTES)(E*1), $'\t' // a tab does not end the line; in the name it is found again
	JNE  stop
leftover: // E is a tab, or the LF of the previous line, the first of this block, or the list's terminator
	CMPQ ENTRY, b_len+16(FP)
	JGE  stop
	BLSRQ X, X
	JMP  nextblock

longtarget: // at the latest, the CR ends the search
	JCC  none // it is empty
	MOVQ T, AT
targetnext:
	ADDQ $32, AT
	VMOVDQU (BYTES)(AT*1), NAME
	NOT(TARGETCOLUMNS, FOUND)
	TZCNTL FOUND, FOUND
	JCS  targetnext
	ADDQ AT, FOUND
	SUBQ T, FOUND
	JMP  targetend

status: // lines are parsed in Go, which needs to know where they end
	MOVQ E, (Head_m+masks_eol)(HEAD)
	JMP  fields

version: // not HTTP/1.1: is it HTTP/1.0?
	MOVQ $const_http10, FOUND
	MOVL $const_MethodGet, T2
	CMPQ FOUND, -8(BYTES)(E*1)
	JEQ  method
	JMP  none

othermethod:
	LOOKUPMETHOD(oddmethod)
	JMP  target

oddmethod: // any token; Go looks it up
	VMOVDQU (BYTES), NAME
	NOT(TOKENCOLUMNS, FOUND)
	TZCNTL FOUND, T
	JLS  none
	CMPB (BYTES)(T*1), $' '
	JNE  none
	DECL T2
	INCQ T
	JMP  target

avx512:
	FULLBLOCKS
	CALL ·listAVX512(SB) // takes BYTES, LEFT, FULL, ENTRY; leaves LEFT, ENTRY
	TESTQ ENTRY, ENTRY
	JNE  listed
	JMP  early

DATA ·walkTable+0(SB)/8, $0xfcfcfcfcfcf8fce8 // by column: rows with a token byte
DATA ·walkTable+8(SB)/8, $0x70f454d054f4f8f8
DATA ·walkTable+16(SB)/8, $0xfcfcfcfcf8f8fcb8 // by column: rows with a target byte
DATA ·walkTable+24(SB)/8, $0x7cd47c547cfcfcfc
DATA ·walkTable+32(SB)/8, $0x8040201008040000 // by row: its bit
DATA ·walkTable+40(SB)/8, $0x0000000000000000
DATA ·walkTable+48(SB)/8, $0x0f0f0f0f0f0f0f0f // masks the low half of each byte
DATA ·walkTable+56(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL ·walkTable(SB), RODATA|NOPTR, $64
DATA ·limits+0(SB)/8, $0x9f9f9f9f9f9f9f9f // 0x80 plus the greatest control below SP
DATA ·limits+8(SB)/8, $0x9f9f9f9f9f9f9f9f
DATA ·limits+16(SB)/8, $0x7f7f7f7f7f7f7f7f
DATA ·limits+24(SB)/8, $0x7f7f7f7f7f7f7f7f
GLOBL ·limits(SB), RODATA|NOPTR, $32
