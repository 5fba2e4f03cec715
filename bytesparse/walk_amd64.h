// What the walk over a head is made of: registers by name, and the steps that occur
// more than once.

#define HEAD   BX  // until the walk begins, and at its end
#define DUP    BX  // bit per id: seen twice
#define BYTES  SI
#define UNSEEN DI  // bit per id: not seen
#define S      R8  // where the line begins
#define E      R9  // where it ends
#define X      R10 // the block's controls from E on
#define ENTRY  R11 // the block's, in the list
#define T      R12 // where the target begins
#define FIELDS R12 // where fields must end
#define FIELD  R13 // the next one, from there: below zero
#define L      R14 // the name's length
#define KNOWN  R15
#define FOUND  CX  // where a byte is that is not of the class, and then what a Field says
#define AT     DX  // where a value is, or a search goes on
#define T2     AX

// While the list is made:
#define LEFT  CX  // bytes, and then where the list stopped
#define PLACE DX  // of the block
#define FULL  R8  // where full blocks end, at the most headBlocks of them
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

// NOT leaves in dst which of the 32 bytes in NAME are not of the class.
#define NOT(columns, dst) \
	VPSRLW   $4, NAME, ROW                 \
	VPAND    LOWHALF, ROW, ROW             \
	VPSHUFB  ROW, ROWS, ROW                \
	VPSHUFB  NAME, columns, COLUMN         \
	VPAND    ROW, COLUMN, COLUMN           \
	VPCMPEQB ZERO, COLUMN, COLUMN          \
	VPMOVMSKB COLUMN, dst

// IDENTIFY leaves in FOUND what a Field says of a name of L bytes in front of the colon
// at AT - 2: id and length (fieldID). NAME has the 32 bytes from the name's start on. By
// its length and the three bytes at either end (hashEnds) there is one well-known name
// that it can be; it is that one if it agrees with it, colon included, but for the case
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

// FULLBLOCKS finds out where full blocks end.
#define FULLBLOCKS \
	MOVL $(64*const_headBlocks), FULL      \
	CMPQ LEFT, FULL                        \
	CMOVQLT LEFT, FULL                     \
	ANDQ $~63, FULL

// BLOCKTAIL leaves in V the controls of the block at PLACE, and of what is behind it: up
// to 64 bytes behind the last one are loaded.
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

// LIST puts a block into the list if it has controls, as the flags of V say.
#define LIST \
	MOVQ PLACE, 8(ENTRY)                   \
	MOVQ V, (ENTRY)                        \
	LEAQ 16(ENTRY), T1                     \
	CMOVQNE T1, ENTRY

// NEXTBLOCK goes on to the next full block, and to marked when controls at distance
// two look like the end of a head.
#define NEXTBLOCK(block, marked) \
	LEAQ (V*4), T0                         \
	ADDQ $64, PLACE                        \
	TESTQ V, T0                            \
	JNZ  marked                            \
	CMPQ PLACE, FULL                       \
	JLT  block

// LISTTAIL puts what is left of the block into the list, fewer than 64 bytes or none.
#define LISTTAIL \
	MOVL LEFT, T0                          \
	SUBL PLACE, T0                         \
	BZHIQ T0, V, V                         \
	LIST
