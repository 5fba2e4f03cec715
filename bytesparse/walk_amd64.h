// The walk over a head: names for the registers, and the steps that occur more than once.

#define HEAD   BX  // *Head, until the walk begins and at its end
#define DUP    BX  // bit per id: seen more than once
#define BYTES  SI  // the buffer
#define UNSEEN DI  // bit per id: not seen
#define S      R8  // where the line begins
#define E      R9  // where the line ends
#define X      R10 // the block's controls from E on
#define ENTRY  R11 // the block's entry in the list
#define T      R12 // where the target begins
#define FIELDS R12 // address of the end of the room for fields
#define FIELD  R13 // offset of the next field from FIELDS: negative
#define L      R14 // length of the name
#define KNOWN  R15 // address of known
#define FOUND  CX  // index of the first byte outside the class; later the id and length of a Field
#define AT     DX  // where a value begins, or a search continues
#define T2     AX

// While the list is built:
#define LEFT  CX  // number of bytes, and afterwards where the list stopped
#define PLACE DX  // offset of the block
#define FULL  R8  // where the full blocks end, at most headBlocks of them
#define V     R9  // the block's controls
#define T0    R10
#define T1    R12

#define TOKENCOLUMNS  Y0
#define TARGETCOLUMNS Y1
#define ROWS          Y2
#define LOWHALF       Y3
#define ZERO          Y4
#define NAME          Y9
#define ROW           Y10
#define COLUMN        Y11

#define MASK(field) (Head_m+field)(HEAD)

// NOT leaves in dst a bit for each of the 32 bytes in NAME that is not in the class.
#define NOT(columns, dst) \
	VPSRLW   $4, NAME, ROW                 \
	VPAND    LOWHALF, ROW, ROW             \
	VPSHUFB  ROW, ROWS, ROW                \
	VPSHUFB  NAME, columns, COLUMN         \
	VPAND    ROW, COLUMN, COLUMN           \
	VPCMPEQB ZERO, COLUMN, COLUMN          \
	VPMOVMSKB COLUMN, dst

// IDENTIFY leaves in FOUND the id and the length (fieldID) of the name of L bytes before
// the colon at AT - 2. NAME has the 32 bytes from the name's start on. The name's length
// and the three bytes at either end select one candidate among the well-known names
// (hashEnds); the name is that one if they are equal, colon included, except for the case
// of letters.
#define IDENTIFY \
	MOVL -5(BYTES)(AT*1), T2               \
	XORL -1(BYTES)(S*1), T2                \
	ANDL $const_endsMask, T2               \
	MOVL L, FOUND                          \
	CRC32L T2, FOUND                       \
	ANDL $const_slotMask, FOUND            \
	SHLL $const_lenShift, L                \
	VPXOR walkName_name(KNOWN)(FOUND*1), NAME, NAME \
	VPTEST walkName_mask(KNOWN)(FOUND*1), NAME \
	MOVL walkName_field(KNOWN)(FOUND*1), FOUND \
	CMOVLNE L, FOUND

// LOOKUPMETHOD adds to T2 the id of the method less that of GET, and leaves in T where the
// target begins. The method, of at most seven bytes, is looked up by its first four
// (hashStart); if it is not well-known, LOOKUPMETHOD jumps to odd.
#define LOOKUPMETHOD(odd) \
	MOVL (BYTES), FOUND                    \
	IMUL3L $const_startMult, FOUND, FOUND  \
	SHRL $(32-const_methodBits), FOUND     \
	SHLL $const_methodShift, FOUND         \
	MOVQ (BYTES), AT                       \
	ANDQ knownTable_methods+walkMethod_mask(KNOWN)(FOUND*1), AT \
	CMPQ AT, knownTable_methods+walkMethod_name(KNOWN)(FOUND*1) \
	JNE  odd                               \
	ADDL knownTable_methods+walkMethod_less(KNOWN)(FOUND*1), T2 \
	MOVL knownTable_methods+walkMethod_target(KNOWN)(FOUND*1), T

// CHECKEND sets the flags to HI unless the value's last byte before E is above SP and CR LF follows,
// by one comparison.
#define CHECKEND \
	MOVL -2(BYTES)(E*1), T2                \
	SUBL $0x0a0d2100, T2                   \
	CMPL T2, $0xdeff

// NOTE notes that the field with the id in FOUND occurs, and if it has occurred before.
#define NOTE \
	SHLXQ FOUND, knownTable_one(KNOWN), T2 \
	ANDNQ T2, UNSEEN, L                    \
	ANDNQ UNSEEN, T2, UNSEEN               \
	ORQ  L, DUP

// COMPLETE stores what is known of the head as a whole: it has n fields and ends at S.
#define COMPLETE(head, n) \
	NOTQ UNSEEN                            \
	MOVQ UNSEEN, Head_seen(head)           \
	MOVQ DUP, Head_dup(head)               \
	MOVQ n, Head_Fields+8(head)            \
	MOVQ S, Head_Size(head)

// FULLBLOCKS computes where the full blocks end.
#define FULLBLOCKS \
	MOVL $(64*const_headBlocks), FULL      \
	CMPQ LEFT, FULL                        \
	CMOVQLT LEFT, FULL                     \
	ANDQ $~63, FULL

// BLOCKTAIL leaves in V the controls of the block at PLACE, which may be partial: up to 64
// bytes past the end of the buffer are loaded and marked, too.
#define BLOCKTAIL \
	VPSUBUSB (BYTES)(PLACE*1), CONTROL, LO \
	VPSUBUSB 32(BYTES)(PLACE*1), CONTROL, HI \
	VPCMPEQB (BYTES)(PLACE*1), DEL, LODEL  \
	VPCMPEQB 32(BYTES)(PLACE*1), DEL, HIDEL \
	VPOR LODEL, LO, LO                     \
	VPOR HIDEL, HI, HI                     \
	VPMOVMSKB LO, V                        \
	VPMOVMSKB HI, T0                       \
	SHLQ $32, T0                           \
	ORQ  T0, V

// LIST appends the block to the list if it has controls: the flags must be those of V.
#define LIST \
	MOVQ PLACE, 8(ENTRY)                   \
	MOVQ V, (ENTRY)                        \
	LEAQ 16(ENTRY), T1                     \
	CMOVQNE T1, ENTRY

// NEXTBLOCK jumps to block for the next full block, or to marked if controls at distance
// two look like the end of a head.
#define NEXTBLOCK(block, marked) \
	LEAQ (V*4), T0                         \
	ADDQ $64, PLACE                        \
	TESTQ V, T0                            \
	JNZ  marked                            \
	CMPQ PLACE, FULL                       \
	JLT  block

// LISTTAIL appends the last, partial block to the list: fewer than 64 bytes, or none.
#define LISTTAIL \
	MOVL LEFT, T0                          \
	SUBL PLACE, T0                         \
	BZHIQ T0, V, V                         \
	LIST
