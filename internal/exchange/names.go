// Names that are not well-known, of which a message may have thousands: which lines have the same
// one. A few are compared with each other; beyond that a table tells, made once per iteration, so
// that the cost of each name stays the same however many there are. Its hash is seeded per process:
// nobody outside can choose names that collide in it.

package exchange

import (
	"hash/maphash"
	"math/bits"

	"github.com/gale-http/gale/bytesparse"
)

const (
	fewNames  = 8       // up to this many lines no table is made
	keptNames = 4 << 10 // up to this many lines its memory is kept
)

var nameSeed = maphash.MakeSeed()

// names groups the lines of a head whose names are not well-known.
type names struct {
	next  []int32 // by line: the next line of the same name, 0 when there is none
	last  []int32 // by line: for the first line of a name, the last one; for the others, repeated
	slots []int32 // the table: the first line of a name, plus one
	low   []byte
}

// repeated in last marks a line that is not the first of its name.
const repeated = -1

// group makes the table for h and reports whether that was worth it.
func (t *names) group(h *bytesparse.Head, b []byte) bool {
	n := len(h.Fields)
	if n <= fewNames || !h.Has(bytesparse.FieldOther) {
		return false
	}
	size := 1 << bits.Len(uint(2*n-1))
	t.next, t.last, t.slots = zeroed(t.next, n), zeroed(t.last, n), zeroed(t.slots, size)
	for i, f := range h.Fields {
		if f.ID != bytesparse.FieldOther {
			continue
		}
		name := f.NameOf(b)
		at := int(t.hash(name)) & (size - 1)
		for ; ; at = (at + 1) & (size - 1) {
			first := int(t.slots[at]) - 1
			if first < 0 {
				t.slots[at], t.last[i] = int32(i+1), int32(i)
				break
			}
			if isNamed(h, b, first, f.ID, name) {
				t.next[t.last[first]] = int32(i)
				t.last[first], t.last[i] = int32(i), repeated
				break
			}
		}
	}
	return true
}

// find returns the first line called name, -1 when there is none.
func (t *names) find(h *bytesparse.Head, b, name []byte) int {
	for at := int(t.hash(name)); ; at++ {
		line := int(t.slots[at&(len(t.slots)-1)]) - 1
		if line < 0 || isNamed(h, b, line, bytesparse.FieldOther, name) {
			return line
		}
	}
}

// mark marks the lines called name, if there are any.
func (t *names) mark(h *bytesparse.Head, b, name []byte) {
	if line := t.find(h, b, name); line >= 0 {
		t.last[line] = repeated
	}
}

// marked reports whether the lines called name are marked. There are some.
func (t *names) marked(h *bytesparse.Head, b, name []byte) bool {
	return t.last[t.find(h, b, name)] == repeated
}

// kept returns what of t's memory is worth keeping for the next message.
func (t *names) kept() names {
	if cap(t.next) > keptNames {
		return names{}
	}
	return *t
}

func (t *names) hash(name []byte) uint64 {
	t.low = append(t.low[:0], name...)
	for i, c := range t.low {
		if 'A' <= c && c <= 'Z' {
			t.low[i] = c + 'a' - 'A'
		}
	}
	return maphash.Bytes(nameSeed, t.low)
}

func zeroed(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	s = s[:n]
	clear(s)
	return s
}
