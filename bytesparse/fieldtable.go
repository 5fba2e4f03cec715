package bytesparse

// Looking up the id of a name: one multiplication hashes its first sixteen bytes into
// a table without collisions, and the single candidate is compared in full. Case is
// ignored by setting the bit 0x20 where the candidate has a letter, and only there:
// '@' and '`', or CR and '-', differ in that bit too.

// knownName is a name of at most maxKnown bytes in lower case. The padding of a short
// one has the bit 0x20 set, too.
type knownName struct {
	name    [4]uint64 // bytes 0–7; bytes 8–15, with longMark if there are more; of longer names the last eight, and bytes 16–23 if it has more than 24
	letters [4]uint64 // the bit 0x20 where name has a letter or padding
}

const (
	maxKnown  = 32 // the longest name a knownName holds
	hashBits  = 8
	fieldMult = 0x87244c137e6340e1 // collision-free for fieldNames; TestFieldHash fails when it must change

	longMark = 1 << 63 // distinguishes names of more than sixteen bytes from others; not part of the hash
)

// nameTable describes the well-known names.
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

// hashField hashes the first sixteen bytes of a name, folded to lower case.
func hashField(w0, w1 uint64) uint64 {
	return (w0 + w1<<3) * fieldMult >> (64 - hashBits)
}

// word returns the eight bytes of b from index i on, in little-endian order.
func word[T string | []byte](b T, i int) uint64 {
	t := b[i : i+8]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

// half returns the four bytes of b from index i on, in little-endian order.
func half[T string | []byte](b T, i int) uint64 {
	t := b[i : i+4]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24
}
