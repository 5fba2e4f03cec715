//go:build !purego

package bytesparse

// The well-known names as the walk in assembly wants them: it has a name's 32 bytes
// in one register, and looks at its two ends to find the one that it may be.

// knownTable is laid out as assembly knows it.
type knownTable struct {
	slots [1 << hashBits]uint16 // by hashEnds: 4 × id
	name  [64][32]byte          // by id: the name in lower case and a colon; what is behind does not matter
	cases uint64                // the bits that do not tell the cases of letters apart
	mult  uint64
	one   uint64
}

// endsMult is collision-free for fieldNames; TestHashEnds tells when it must
// change.
const endsMult = 0xf462cb6450e045f5

var known = buildKnown()

func buildKnown() (t knownTable) {
	t.cases, t.mult, t.one = ^uint64(fold), endsMult, 1
	for id := FieldHost; id < numFieldIDs; id++ {
		copy(t.name[id][:], fieldNames[id]+":")
		t.slots[hashEnds(fieldNames[id])] = uint16(id) << 2
	}
	return t
}

// hashEnds hashes the first three bytes of a name, an LF in front, the last three,
// a colon behind, and its length, so without regard to letters' case: what the walk
// finds there in a head, also when the name is shorter than three.
func hashEnds(name string) uint64 {
	line := "\n" + name + ":"
	n := len(line)
	key := half(line, 0) + uint64(len(name)) | half(line, n-4)<<32
	return key &^ fold * endsMult >> (64 - hashBits)
}
