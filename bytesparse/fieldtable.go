package bytesparse

// Finding the id of a name: its first eight bytes, its last eight and its
// length are hashed by one multiplication into a table without collisions, and
// the one candidate is compared, whole. Letters are compared without regard to
// case by setting the bit 0x20 where the candidate has a letter, and only
// there: '@' and '`', CR and '-' differ in nothing else.

// knownName is a name of at most maxKnown bytes in lower case: its first eight
// and its last eight, then the ninth to the twenty-fourth. What pads a short
// one has the bit 0x20 too. Assembly knows this layout.
type knownName struct {
	name    [4]uint64
	letters [4]uint64 // the bit 0x20 where name has a letter, or padding
}

const (
	maxKnown  = 32 // the longest name a knownName holds
	hashBits  = 8
	fieldMult = 0x2ce5dbea64fa1553 // collision-free for fieldNames; TestFieldHash tells when it must change

	idShift  = 6    // what turns an id into an offset in nameTable.known
	longSize = 0x80 // the name has more than 16 bytes
)

// nameTable is all there is to know of the well-known names. Assembly knows
// this layout.
type nameTable struct {
	slots      [1 << hashBits]uint16 // by hash: id << idShift
	known      [64]knownName         // by id
	size       [64]uint8             // by id: length, with longSize
	fold, mult uint64                // the constants, to be close by
}

var names = buildNames()

func buildNames() (t nameTable) {
	t.fold, t.mult = fold, fieldMult
	for id := FieldHost; id < numFieldIDs; id++ {
		name := fieldNames[id]
		t.size[id] = uint8(len(name))
		k := &t.known[id].name
		if len(name) < 8 {
			k[0] = loadShort(name) | fold
			k[1] = k[0]
		} else {
			k[0], k[1] = word(name, 0)|fold, word(name, len(name)-8)|fold
		}
		if len(name) > 16 {
			k[2] = word(name, 8) | fold
			t.size[id] |= longSize
		}
		if len(name) > 24 {
			k[3] = word(name, 16) | fold
		}
		for i := range 8 * len(k) {
			if c := byte(k[i/8] >> (i % 8 * 8)); 'a' <= c && c <= 'z' || c == ' ' {
				t.known[id].letters[i/8] |= 0x20 << (i % 8 * 8)
			}
		}
		t.slots[hashField(k[0], k[1], uint(len(name)))] = uint16(id) << idShift
	}
	return t
}

func hashField(first, last uint64, n uint) uint64 {
	h := first + last<<3 + uint64(n)
	return h * fieldMult >> (64 - hashBits)
}

// word returns the eight bytes of b from index i on, the first one lowest.
func word[T string | []byte](b T, i int) uint64 {
	t := b[i : i+8]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// half returns the four bytes of b from index i on, the first one lowest.
func half[T string | []byte](b T, i int) uint64 {
	t := b[i : i+4]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24
}
