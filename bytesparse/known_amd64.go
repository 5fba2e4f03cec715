//go:build !purego

package bytesparse

// The well-known names as the walk in assembly wants them: it has a name's 32 bytes
// in one register, and looks at its two ends to find the one that it may be; of a
// method at its start.

// knownTable is laid out as assembly knows it.
type knownTable struct {
	slots [1 << hashBits]uint8 // by hashEnds: 4 × id
	mask  [64]uint32           // by id: a bit for each byte of the name and its colon
	name  [64][32]byte         // by id: the name in lower case and a colon; what is behind does not matter
	one   uint64               // 1
	none  uint64               // 0

	methodSlots [1 << methodBits]uint8 // by hashStart
	methodMask  [numMethods]uint32     // by method: a bit for each byte of the name and the blank behind it
	method      [numMethods][16]byte   // by method: the name and a blank
}

// startMult is collision-free for methodNames; TestHashStart tells when it must
// change.
const (
	methodBits = 7
	startMult  = 0x365d11f7
)

// endsMult is collision-free for fieldNames; TestHashEnds tells when it must
// change.
const endsMult = 0x3e2d8c2f

var known = buildKnown()

func buildKnown() (t knownTable) {
	t.one = 1
	for id := FieldHost; id < numFieldIDs; id++ {
		n := copy(t.name[id][:], fieldNames[id]+":")
		t.mask[id] = 1<<n - 1
		t.slots[hashEnds(fieldNames[id])] = uint8(id) << 2
	}
	for m := MethodGet; m < numMethods; m++ {
		n := copy(t.method[m][:], methodNames[m]+" ")
		t.methodMask[m] = 1<<n - 1
		t.methodSlots[hashStart(methodNames[m])] = uint8(m)
	}
	return t
}

// hashEnds hashes the first three bytes of a name, an LF in front, the last three,
// a colon behind, and its length, so without regard to letters' case: what the walk
// finds there in a head, also when the name is shorter than three.
func hashEnds(name string) uint32 {
	line := "\n" + name + ":"
	key := uint32(half(line, 0)^half(line, len(line)-4)) &^ (fold & (1<<32 - 1))
	return (key + uint32(len(name))) * endsMult >> (32 - hashBits)
}

// hashStart hashes the first four bytes of a method's name, a blank behind it, and its
// length.
func hashStart(name string) uint32 {
	return (uint32(half(name+"  ", 0)) + uint32(len(name))) * startMult >> (32 - methodBits)
}
