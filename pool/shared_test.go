package pool

// The shared pool: bounds and accounting by one goroutine, then ownership and conservation
// by many, which is where the race detector earns its keep.

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestSharedGetPut(t *testing.T) {
	var s Shared
	a := s.Get(3000)
	if len(a) != 4096 || cap(a) != 4096 {
		t.Fatalf("Get(3000): len %d, cap %d, want 4096", len(a), cap(a))
	}
	if b := s.Get(MaxSize + 1); len(b) != MaxSize+8192 {
		t.Fatalf("Get beyond MaxSize: len %d, want %d", len(b), MaxSize+8192)
	}
	s.Put(a[:1])
	if s.Held() != 4096 || s.Out() != 0 {
		t.Fatalf("Held() = %d, Out() = %d, want 4096, 0", s.Held(), s.Out())
	}
	if b := s.Get(4096); &b[0] != &a[0] || len(b) != 4096 {
		t.Errorf("Get did not return the buffer that was put back")
	}
	s.Put(make([]byte, 700))
	if s.Held() != 0 || s.Out() != 1 {
		t.Errorf("a buffer of no class: Held() = %d, Out() = %d, want 0, 1", s.Held(), s.Out())
	}
}

func TestSharedBound(t *testing.T) {
	s := Shared{Keep: 3 * 512}
	for range 5 {
		s.Put(make([]byte, 512))
	}
	s.Put(make([]byte, 1024))
	s.Put(make([]byte, 2048)) // Keep is less than one of these
	if want := 3*512 + 1024; s.Held() != want {
		t.Errorf("Held() = %d, want %d", s.Held(), want)
	}
}

func TestSharedNil(t *testing.T) {
	var s *Shared
	b := s.Get(100)
	s.Put(b)
	s.Trim()
	if len(b) != 512 || s.Held() != 0 || s.Out() != 0 {
		t.Errorf("nil Shared: %d bytes, Held() = %d, Out() = %d", len(b), s.Held(), s.Out())
	}
}

func TestSharedTrim(t *testing.T) {
	var s Shared
	for range 8 {
		s.Put(make([]byte, 512))
	}
	s.Trim() // was empty since the last Trim
	if got := s.Held() / 512; got != 8 {
		t.Fatalf("first Trim left %d, want 8", got)
	}
	a, b := s.Get(512), s.Get(512)
	s.Put(a)
	s.Put(b)
	s.Trim() // six were spare
	if got := s.Held() / 512; got != 5 {
		t.Fatalf("Trim with 6 of 8 spare left %d, want 5", got)
	}
	for _, want := range []int{2, 1, 0, 0} {
		s.Trim()
		if got := s.Held() / 512; got != want {
			t.Fatalf("idle Trim left %d, want %d", got, want)
		}
	}
	for range 3 { // every cell is still of use
		s.Put(make([]byte, 512))
	}
	if got := s.Held() / 512; got != 3 {
		t.Errorf("after trimming to nothing, 3 Puts left %d", got)
	}
}

// Goroutines pass buffers through a small pool. The plain writes into them are
// what the race detector watches: two owners at once, or an unordered hand-over,
// are races. In the end nothing is lost.
func TestSharedConcurrent(t *testing.T) {
	s := Shared{Keep: 8 << 10}
	const workers = 6
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			var mine [3][]byte
			for i := range 4000 {
				k := (i + w) % len(mine)
				if mine[k] != nil {
					for _, at := range []int{0, 511} {
						if mine[k][at] != byte(w) {
							t.Errorf("worker %d: its buffer was written by worker %d", w, mine[k][at])
							return
						}
					}
					s.Put(mine[k])
				}
				mine[k] = s.Get(500 + 500*(i/64%3))
				for at := range mine[k] {
					mine[k][at] = byte(w)
				}
				if i%1000 == 999 {
					s.Trim()
				}
			}
			for _, b := range mine {
				s.Put(b)
			}
		})
	}
	wg.Wait()
	if s.Out() != 0 {
		t.Errorf("Out() = %d after everything was put back", s.Out())
	}
	seen := map[*byte]bool{}
	for c := range Classes {
		tab := s.tables[c].Load()
		if tab == nil {
			continue
		}
		cells := len(tab.cells)
		full := int(tab.held.Load())
		for {
			b := tab.pop()
			if b == nil {
				break
			}
			if len(b) != classSize(c) || seen[&b[0]] {
				t.Fatalf("class %d holds a buffer of %d bytes, or one twice", c, len(b))
			}
			seen[&b[0]] = true
			full--
		}
		if full != 0 {
			t.Errorf("class %d: held was off by %d", c, full)
		}
		free := 0
		for {
			if _, ok := tab.empty.Pop(); !ok {
				break
			}
			free++
		}
		if free != cells {
			t.Errorf("class %d: %d of %d cells left", c, free, cells)
		}
	}
}

// Goroutines that meet at the first Put of a class agree on one table.
func TestSharedFirstPut(t *testing.T) {
	for range 2000 {
		var s Shared
		var wg sync.WaitGroup
		var ready atomic.Int32
		for range 2 {
			wg.Go(func() {
				b := make([]byte, MaxSize)
				ready.Add(1)
				for ready.Load() < 2 {
					runtime.Gosched()
				}
				s.Put(b)
			})
		}
		wg.Wait()
		if got := s.Held() / MaxSize; got != 2 {
			t.Fatalf("2 concurrent first Puts left %d buffers", got)
		}
	}
}
