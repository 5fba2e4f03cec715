package pool

// Each class has a fixed table of cells and two stacks of cell indices: one of the
// cells that hold a buffer, one of those that do not. A cell moves between them when
// its index is popped from one and pushed to the other.
//
// Who owns a cell, by phase:
//
//	index on empty   nobody; the cell is nil
//	between the two  the goroutine that popped the index, alone
//	index on full    nobody; the cell holds the only reference to a buffer
//
// A goroutine writes a cell before it pushes its index and reads it after popping it,
// and Push and Pop of one stack are ordered (see stack.go), so cells need no atomics.

import "sync/atomic"

// DefaultSharedKeep is the number of bytes a Shared keeps in each class when
// its Keep is zero.
const DefaultSharedKeep = 4 << 20

// Shared is a buffer pool for any number of goroutines, without locks. The
// zero value is ready, and so is a nil *Shared, which keeps nothing. It must
// not be copied after first use.
type Shared struct {
	// Keep bounds the bytes kept in each class. Zero is DefaultSharedKeep,
	// negative keeps nothing. It must not be changed after first use.
	Keep int

	tables [Classes]atomic.Pointer[table]
	out    atomic.Int64
}

// table is one class.
type table struct {
	full  *Stack
	empty *Stack
	cells [][]byte

	held atomic.Int64 // cells on full; counts down before a Pop is known to succeed
	low  atomic.Int64 // smallest held since the last Trim
}

// Get returns a buffer of at least size bytes, as [Local.Get] does. It may be
// called concurrently. It allocates only if the pool has no buffer, and always beyond
// MaxSize.
func (s *Shared) Get(size int) []byte {
	if size > MaxSize {
		return makeLarge(size)
	}
	if s != nil {
		s.out.Add(1)
	}
	return s.take(classFor(size))
}

// Put takes back a buffer under the rules of [Local.Put]. It may be called
// concurrently. The first Put of a class allocates its table (24 to 32 bytes per
// buffer); later ones allocate nothing.
func (s *Shared) Put(b []byte) {
	c := classOf(cap(b))
	if c < 0 {
		return
	}
	b = b[:cap(b)]
	if Debug {
		release(b)
	}
	if s != nil {
		s.out.Add(-1)
	}
	s.give(c, b)
}

// Trim releases half of the buffers that were not needed since the last Trim to the
// garbage collector, as [Local.Trim] does. It may be called concurrently with Get and
// Put; two concurrent Trims merely halve twice.
func (s *Shared) Trim() {
	if s == nil {
		return
	}
	for c := range s.tables {
		t := s.tables[c].Load()
		if t == nil {
			continue
		}
		for drop := (t.low.Load() + 1) / 2; drop > 0; drop-- {
			b := t.pop()
			if b == nil {
				break
			}
			if Debug {
				checkIntact(b)
			}
		}
		t.low.Store(max(0, t.held.Load()))
	}
}

// Held returns the number of bytes kept here, ready to be handed out. While other
// goroutines call Get and Put, it is an estimate.
func (s *Shared) Held() int {
	if s == nil {
		return 0
	}
	n := 0
	for c := range s.tables {
		if t := s.tables[c].Load(); t != nil {
			n += int(max(0, t.held.Load())) * classSize(c)
		}
	}
	return n
}

// Out returns how many pooled buffers Get has handed out less how many Put has taken
// back (see [Local.Out]). Buffers that a Local moves in or out do not count.
func (s *Shared) Out() int {
	if s == nil {
		return 0
	}
	return int(s.out.Load())
}

// take returns a buffer of class c from the table, or a new one.
func (s *Shared) take(c int) []byte {
	if s != nil {
		if t := s.tables[c].Load(); t != nil {
			if b := t.pop(); b != nil {
				if Debug {
					claim(b)
				}
				return b
			}
		}
	}
	return make([]byte, classSize(c))
}

// give stores b, which is of class c, or drops it if there is no room.
func (s *Shared) give(c int, b []byte) {
	if s == nil || s.Keep < 0 {
		return
	}
	t := s.tables[c].Load()
	if t == nil {
		t = s.grow(c)
	}
	t.push(b)
}

// grow installs the table of class c. If two goroutines race here, one table wins and
// the other is never used.
func (s *Shared) grow(c int) *table {
	keep := s.Keep
	if keep == 0 {
		keep = DefaultSharedKeep
	}
	if t := newTable(keep >> (minShift + c)); s.tables[c].CompareAndSwap(nil, t) {
		return t
	}
	return s.tables[c].Load()
}

func newTable(n int) *table {
	t := &table{full: NewStack(n), empty: NewStack(n), cells: make([][]byte, n)}
	for i := n; i > 0; i-- {
		t.empty.Push(uint32(i - 1))
	}
	return t
}

// push stores b; if the table is full it does nothing.
func (t *table) push(b []byte) {
	i, ok := t.empty.Pop()
	if !ok {
		return
	}
	t.cells[i] = b
	t.full.Push(i)
	t.held.Add(1)
}

// pop returns a buffer, nil when there is none.
func (t *table) pop() []byte {
	i, ok := t.full.Pop()
	if !ok {
		return nil
	}
	b := t.cells[i]
	t.cells[i] = nil
	t.empty.Push(i)
	// A lost race for low leaves it slightly too high for one period, and Trim then drops a
	// buffer or two that were in use: not worth a loop.
	if n := t.held.Add(-1); n < t.low.Load() {
		t.low.Store(n)
	}
	return b
}
