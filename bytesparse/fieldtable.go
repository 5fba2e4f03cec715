package bytesparse

// Finding the id of a name: its first sixteen bytes are hashed by one
// multiplication into a table without collisions, and the one candidate is
// compared, whole. Letters are compared without regard to case by setting the
// bit 0x20 where the candidate has a letter, and only there: '@' and '`', CR and
// '-' differ in nothing else.

// knownName is a name of at most maxKnown bytes in lower case. What pads a short
// one has the bit 0x20 too.
type knownName struct {
	name    [4]uint64 // bytes 0 to 7; 8 to 15, with longMark if there are more; the last eight then; 16 to 23 if there are more than 24
	letters [4]uint64 // the bit 0x20 where name has a letter, or padding
}

const (
	maxKnown  = 32 // the longest name a knownName holds
	hashBits  = 8
	fieldMult = 0x87244c137e6340e1 // collision-free for fieldNames; TestFieldHash tells when it must change

	longMark = 1 << 63 // keeps names of more than sixteen bytes and others apart; does not reach the hash
)

// nameTable is all there is to know of the well-known names.
type nameTable struct {
	slots [1 << hashBits]FieldID // by hash
	known [64]knownName          // by id
	size  [64]uint64             // by id
}

var names = buildNames()

func buildNames() (t nameTable) {
	for id := FieldHost; id < numFieldIDs; id++ {
		name := fieldNames[id]
		n := len(name)
		t.size[id] = uint64(n)
		padded := append([]byte(name), "                "...)
		k := &t.known[id]
		k.name[0], k.name[1] = word(padded, 0)|fold, word(padded, 8)|fold
		if n > 16 {
			k.name[2] = word(name, n-8) | fold
		}
		if n > 24 {
			k.name[3] = word(name, 16) | fold
		}
		for i := range 8 * len(k.name) {
			if c := byte(k.name[i/8] >> (i % 8 * 8)); 'a' <= c && c <= 'z' || c == ' ' {
				k.letters[i/8] |= 0x20 << (i % 8 * 8)
			}
		}
		t.slots[hashField(k.name[0], k.name[1])] = id
		if n > 16 {
			k.name[1] |= longMark
		}
	}
	return t
}

// hashField hashes the first sixteen bytes of a name, folded.
func hashField(w0, w1 uint64) uint64 {
	return (w0 + w1<<3) * fieldMult >> (64 - hashBits)
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
