// What the walk over a head is made of: registers by name, and the steps that occur
// more than once.

#define HEAD  BX  // until the walk begins, and at its end
#define DUP   BX  // bit per id, as in SEEN
#define BYTES SI
#define SEEN  DI  // bit per id
#define S     R8  // where the line begins
#define E     R9  // where it ends
#define X     R10 // the block's controls from E on
#define ENTRY R11 // the block's, in the list
#define T     R12
#define FIELD R13 // the next one
#define L     R14 // the name's length
#define KNOWN R15

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
#define NAME16        X9
#define ROW           Y10
#define COLUMN        Y11

#define MASK(field) (Head_m+field)(HEAD)

// NOT leaves in dst which of the 32 bytes in NAME are not of the class.
#define NOT(columns, dst) \
	VPSRLW   $4, NAME, ROW                  \
	VPAND    LOWHALF, ROW, ROW              \
	VPSHUFB  ROW, ROWS, ROW                 \
	VPSHUFB  NAME, columns, COLUMN          \
	VPAND    ROW, COLUMN, COLUMN            \
	VPCMPEQB ZERO, COLUMN, COLUMN           \
	VPMOVMSKB COLUMN, dst

// IDENTIFY leaves in CX 4 × the id of the name at DX, L bytes long, the start of which
// is in NAME: the one well-known name that it can be by its length and the three bytes
// at either end (hashEnds), if it is that one, colon included.
#define IDENTIFY \
	MOVL -3(DX)(L*1), AX                    \
	XORL -1(DX), AX                         \
	ANDL $0xdfdfdfdf, AX                    \
	ADDL L, AX                              \
	IMUL3L $const_endsMult, AX, AX          \
	SHRL $(32-const_hashBits), AX           \
	MOVBLZX knownTable_slots(KNOWN)(AX*1), CX \
	VPOR walkTable<>+64(SB), NAME, NAME     \
	VPCMPEQB knownTable_name(KNOWN)(CX*8), NAME, NAME \
	VPMOVMSKB NAME, AX                      \
	ANDNL knownTable_mask(KNOWN)(CX*1), AX, AX \
	CMOVLNE knownTable_none(KNOWN), CX

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
