//go:build !purego

package bytesparse

// The well-known names in the form that the walk in assembly needs. It holds 32 bytes of
// a name in one register, and hashes the name's two ends to find the one candidate; for a
// method it hashes the start.

// knownTable has a layout that the assembly depends on.
type knownTable struct {
	names   [1 << slotBits]walkName     // by hashEnds
	methods [1 << methodBits]walkMethod // by hashStart
	one     uint64                      // 1, the memory operand of SHLX
}

// walkName is a field's name. An unused entry equals no name.
type walkName struct {
	name  [28]byte // the name in lower case and a colon
	field uint32   // fieldID
	mask  [32]byte // the bits of each byte of name that must match: for a letter, all but the case bit
}

// walkMethod is the name of a method of at most seven bytes.
type walkMethod struct {
	name   uint64 // the name and a blank; an unused entry equals no name
	mask   uint64 // covers the bytes of name
	less   uint32 // its id less MethodGet
	target uint32 // where the target begins
	_      uint64
}

const (
	slotBits = 8
	slotMask = (1<<slotBits - 1) << 6 // a walkName has 64 bytes
	lenShift = 16                     // turns a length into a fieldID

	methodBits  = 5
	methodShift = 5 // log₂ of the size of a walkMethod
	minorShift  = 8 // where Minor is in the word that begins with Method
)

// endsMask makes hashEnds collision-free for fieldNames; TestHashEnds fails when it must
// change. It excludes the case bits of letters.
const endsMask = 0x5edf93d6

// startMult is collision-free for methodNames of at most seven bytes; TestHashStart
// fails when it must change.
const startMult = 0x18753acf

var known = buildKnown()

func buildKnown() (t knownTable) {
	t.one = 1
	for i := range t.names {
		t.names[i].mask[0] = 0xff
	}
	for i := range t.methods {
		t.methods[i].name = 1
	}
	for id := FieldHost; id < numFieldIDs; id++ {
		k := &t.names[hashEnds(fieldNames[id])/64]
		k.field = fieldID(id, len(fieldNames[id]))
		for i := range copy(k.name[:], fieldNames[id]+":") {
			k.mask[i] = 0xff
			if c := k.name[i]; 'a' <= c && c <= 'z' {
				k.mask[i] &^= 0x20
			}
		}
	}
	for m := MethodGet; m < numMethods; m++ {
		if name := methodNames[m] + " "; len(name) <= 8 {
			t.methods[hashStart(name)] = walkMethod{
				name: loadName(name), mask: 1<<(8*len(name)) - 1, less: uint32(m - MethodGet), target: uint32(len(name)),
			}
		}
	}
	return t
}

// fieldID returns the last four bytes of a Field as one word: the id, a zero byte, and
// the length of the name.
func fieldID(id FieldID, n int) uint32 { return uint32(id) | uint32(n)<<lenShift }

// hashEnds hashes the length of a name and, without regard to case, its first three bytes
// with the LF before them and its last three with the colon after them: the bytes that the
// walk finds there in a head, even if the name is shorter than three. The result is the
// offset of a walkName.
func hashEnds(name string) uint32 {
	line := "\n" + name + ":"
	key := uint32(half(line, 0)^half(line, len(line)-4)) & endsMask
	return crc32c(uint32(len(name)), key) & slotMask
}

// crc32c computes what the instruction CRC32 does.
func crc32c(crc, x uint32) uint32 {
	crc ^= x
	for range 32 {
		crc = crc>>1 ^ -(crc&1)&0x82f63b78
	}
	return crc
}

// hashStart hashes the first four bytes of a method's name followed by a blank. The result
// is the index of a walkMethod.
func hashStart(name string) uint32 {
	return uint32(half(name, 0)) * startMult >> (32 - methodBits)
}

// loadName returns the bytes of a name as the low ones of a word.
func loadName(name string) (w uint64) {
	for i := range len(name) {
		w |= uint64(name[i]) << (8 * i)
	}
	return w
}
