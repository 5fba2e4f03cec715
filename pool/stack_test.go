package pool

// The index stack: against a slice, step by step through the ABA case, and under
// contention that is forced between the two halves of a Pop.

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

func TestStackLastInFirstOut(t *testing.T) {
	s := NewStack(4)
	if _, ok := s.Pop(); ok || s.Cap() != 4 {
		t.Fatalf("a new stack is not empty, or Cap() = %d", s.Cap())
	}
	for _, i := range []uint32{2, 0, 3} {
		s.Push(i)
	}
	for _, want := range []uint32{3, 0, 2} {
		if i, ok := s.Pop(); !ok || i != want {
			t.Fatalf("Pop() = %d, %v, want %d", i, ok, want)
		}
	}
	if i, ok := s.Pop(); ok {
		t.Fatalf("Pop() = %d from an empty stack", i)
	}
}

func TestStackZeroValue(t *testing.T) {
	var s Stack
	if _, ok := s.Pop(); ok || s.Cap() != 0 {
		t.Errorf("the zero Stack is not an empty stack for no indices")
	}
}

func TestStackBounds(t *testing.T) {
	panics := func(name string, f func()) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Errorf("%s did not panic", name)
			}
		}()
		f()
	}
	panics("NewStack(-1)", func() { NewStack(-1) })
	if math.MaxInt > math.MaxUint32 {
		tooMany := uint64(math.MaxUint32)
		panics("NewStack(1<<32-1)", func() { NewStack(int(tooMany)) })
	}
	s := NewStack(3)
	panics("Push(3) of 3", func() { s.Push(3) })
	if _, ok := s.Pop(); ok {
		t.Errorf("a refused Push left something on the stack")
	}
}

func TestStackModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := NewStack(16)
	var model, free []uint32
	for i := range uint32(16) {
		free = append(free, i)
	}
	for step := range 20_000 {
		if rng.IntN(2) == 0 && len(free) > 0 {
			k := rng.IntN(len(free))
			i := free[k]
			free = append(free[:k], free[k+1:]...)
			s.Push(i)
			model = append(model, i)
			continue
		}
		i, ok := s.Pop()
		if ok != (len(model) > 0) {
			t.Fatalf("step %d: Pop says %v with %d on the stack", step, ok, len(model))
		}
		if ok {
			if want := model[len(model)-1]; i != want {
				t.Fatalf("step %d: Pop() = %d, want %d", step, i, want)
			}
			model = model[:len(model)-1]
			free = append(free, i)
		}
	}
}

// The ABA case, step by step. One Pop has read its top, A, and what is below, B.
// Before its swap, others pop A and B and push A back. The head is A again, but B
// is owned by another goroutine: the swap must fail.
func TestStackABA(t *testing.T) {
	const a, b, c = 0, 1, 2
	s := NewStack(3)
	s.Push(c)
	s.Push(b)
	s.Push(a)

	old, below := s.peek()
	if uint32(old) != a+1 || below != b+1 {
		t.Fatalf("peek() = %#x, %d, want top A and B below", old, below)
	}
	for range 2 {
		s.Pop()
	}
	s.Push(a)
	if now, _ := s.peek(); uint32(now) != uint32(old) {
		t.Fatalf("A is not on top again")
	}
	if s.swapTop(old, below) {
		t.Fatalf("the delayed Pop succeeded and put B, which is owned, on the stack")
	}
	if i, ok := s.Pop(); !ok || i != a {
		t.Errorf("Pop() = %d, %v, want A", i, ok)
	}
	if i, ok := s.Pop(); !ok || i != c {
		t.Errorf("Pop() = %d, %v, want C, since B is owned", i, ok)
	}
}

// The other side of ABA: where nothing happened in between, the delayed swap
// succeeds.
func TestStackDelayedPop(t *testing.T) {
	s := NewStack(2)
	s.Push(1)
	s.Push(0)
	old, below := s.peek()
	if !s.swapTop(old, below) {
		t.Fatal("an undisturbed Pop failed")
	}
	if i, ok := s.Pop(); !ok || i != 1 {
		t.Errorf("Pop() = %d, %v, want 1", i, ok)
	}
}

// The tag wraps without touching the index.
func TestStackTagWraps(t *testing.T) {
	s := NewStack(2)
	s.head.Store(math.MaxUint32 << 32)
	s.Push(1)
	s.Push(0)
	for _, want := range []uint32{0, 1} {
		if i, ok := s.Pop(); !ok || i != want {
			t.Errorf("Pop() = %d, %v, want %d", i, ok, want)
		}
	}
	if tag := s.head.Load() >> 32; tag != 1 {
		t.Errorf("tag = %d after wrapping, want 1", tag)
	}
}

// slowPop is a Pop that is delayed between its two halves, so that whatever other goroutines
// can do in between does happen, even on a machine with one core.
func slowPop(s *Stack) (uint32, bool) {
	for {
		old, below := s.peek()
		if uint32(old) == 0 {
			return 0, false
		}
		runtime.Gosched()
		if s.swapTop(old, below) {
			if Debug {
				s.on[uint32(old)-1].Store(false)
			}
			return uint32(old) - 1, true
		}
	}
}

// Few indices, more goroutines: each index has at most one owner at any moment
// (owner is plain memory on purpose: unordered hand-overs are data races), and in
// the end each is on the stack once.
func TestStackConcurrent(t *testing.T) {
	const n, workers, rounds = 5, 8, 10_000
	s := NewStack(n)
	var owner [n]int
	for i := range uint32(n) {
		s.Push(i)
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var mine []uint32
			pop := (*Stack).Pop
			if w%2 == 0 {
				pop = slowPop
			}
			for r := range rounds {
				if i, ok := pop(s); ok {
					if owner[i] != 0 {
						t.Errorf("worker %d popped %d, which worker %d owns", w, i, owner[i]-1)
						return
					}
					owner[i] = w + 1
					mine = append(mine, i)
				}
				if len(mine) > r%3 {
					i := mine[0]
					mine = mine[1:]
					if owner[i] != w+1 {
						t.Errorf("worker %d owns %d, but %d is written there", w, i, owner[i]-1)
						return
					}
					owner[i] = 0
					s.Push(i)
				}
			}
			for _, i := range mine {
				owner[i] = 0
				s.Push(i)
			}
		})
	}
	wg.Wait()
	var seen [n]bool
	for range n {
		i, ok := s.Pop()
		if !ok || seen[i] {
			t.Fatalf("index lost or duplicated: Pop() = %d, %v, had %v", i, ok, seen)
		}
		seen[i] = true
	}
	if i, ok := s.Pop(); ok {
		t.Fatalf("%d is on the stack beside all the others", i)
	}
}
