package pool

// A Treiber stack of indices instead of pointers. One 64-bit word holds the top index
// and a tag, and every change of the stack is one compare-and-swap of that word.
//
// Layout of the head word:
//
//	63            32 31             0
//	+---------------+---------------+
//	|      tag      |   index + 1   |    index + 1 == 0: empty
//	+---------------+---------------+
//
// next[i] holds the index below i, likewise as index + 1.
//
// Why it is correct. An index is either on the stack or owned by one caller; Push
// passes it in, Pop passes it out.
//
//  1. Only the owner of i writes next[i], before the CAS that puts i on the
//     stack; from then until i is popped nobody writes it. So while i is on the
//     stack, next[i] is the index below it.
//  2. Pop loads the head (tag t, top i), then next[i], then swaps the head from
//     (t, i) to (t, next[i]). It may load next[i] after another Pop has taken i,
//     and then reads an arbitrary value; that is harmless if the CAS fails. Suppose
//     the CAS succeeds: the head is (t, i), as it was at the load. Each Push increases
//     the tag and nothing decreases it, so no Push happened in between. Without a
//     Push, i cannot have left the head and come back, so i was the top all the
//     time, and by (1) next[i] was valid. This is what the tag is for: without it,
//     pop i, pop j, push i in between would leave head == i with another next[i],
//     and the CAS would put j, which a caller owns, back on the stack (ABA).
//  3. Push stores next[i] = top and swaps the head from (t, top) to (t+1, i). If
//     top was popped and came back in between, it is again the top, so next[i] is right.
//
// The tag has 32 bits: (2) requires that the number of pushes between the load and the
// CAS of one Pop, with the same index on top, is not a positive multiple of 2^32. At
// 10 ns a push, that would be a Pop delayed by 43 seconds, to the exact push.
//
// Memory order. Go's atomics are sequentially consistent, and each CAS of the head
// reads what the previous one wrote, so all successful operations form one chain: what
// a goroutine did before Push(i) happens before the return of the Pop that yields i. A
// caller may therefore keep plain data per index, written before Push and read after
// Pop.

import (
	"math"
	"sync/atomic"
)

// Stack is a lock-free last-in first-out stack of the indices 0 to n-1, for any
// number of goroutines. The meaning of an index is up to the caller: usually it is a
// cell of a table. What a goroutine wrote before Push(i) is visible to the one whose
// Pop yields i. Neither Push nor Pop allocates.
//
// The zero value is an empty stack for no indices; use [NewStack]. A Stack must
// not be copied.
type Stack struct {
	head atomic.Uint64
	_    [56]byte // against false sharing: head is written all the time, the slice header of next is only read
	next []atomic.Uint32
	on   []atomic.Bool // galedebug only: which indices are on the stack
}

// NewStack returns an empty stack for the indices 0 to n-1.
// It panics when n is negative or above 1<<32-2.
func NewStack(n int) *Stack {
	if n < 0 || uint64(n) > math.MaxUint32-1 {
		panic("pool: NewStack: size out of range")
	}
	s := &Stack{next: make([]atomic.Uint32, n)}
	if Debug {
		s.on = make([]atomic.Bool, n)
	}
	return s
}

// Cap returns n, the number of indices the stack was made for.
func (s *Stack) Cap() int { return len(s.next) }

// Push puts i on top. The caller must own i: it was never pushed, or a Pop has
// yielded it since. It panics if i is not less than Cap and, with -tags galedebug, if
// i is already on the stack. It may be called concurrently.
func (s *Stack) Push(i uint32) {
	link := &s.next[i]
	if Debug && s.on[i].Swap(true) {
		panic("pool: Stack: index pushed while on the stack")
	}
	for {
		old := s.head.Load()
		link.Store(uint32(old))
		if s.head.CompareAndSwap(old, (old>>32+1)<<32|uint64(i+1)) {
			return
		}
	}
}

// Pop removes and returns the top index; the caller owns it from then on.
// ok is false when the stack is empty. It may be called concurrently.
func (s *Stack) Pop() (i uint32, ok bool) {
	for {
		old, below := s.peek()
		if uint32(old) == 0 {
			return 0, false
		}
		if s.swapTop(old, below) {
			i = uint32(old) - 1
			if Debug {
				s.on[i].Store(false)
			}
			return i, true
		}
	}
}

// peek is the first half of a Pop: it loads the head, and the index below its top.
// The two halves are separate so that a test can interleave other operations.
func (s *Stack) peek() (old uint64, below uint32) {
	old = s.head.Load()
	if top := uint32(old); top != 0 {
		below = s.next[top-1].Load()
	}
	return old, below
}

// swapTop is the second half of a Pop. It fails if the stack has changed since.
func (s *Stack) swapTop(old uint64, below uint32) bool {
	return s.head.CompareAndSwap(old, old>>32<<32|uint64(below))
}
