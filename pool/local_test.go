package pool

// The free lists of one loop: order, bounds, accounting, and a long random run against
// counters.

import (
	"math/rand/v2"
	"testing"
)

func TestLocalGetSizes(t *testing.T) {
	var l Local
	for _, c := range []struct{ size, want int }{
		{-5, 512}, {0, 512}, {1, 512}, {512, 512}, {513, 1024}, {4096, 4096}, {4097, 8192},
		{MaxSize - 1, MaxSize}, {MaxSize, MaxSize}, {MaxSize + 1, MaxSize + 8192},
	} {
		b := l.Get(c.size)
		if len(b) != c.want || cap(b) != c.want {
			t.Errorf("Get(%d): len %d, cap %d, want %d", c.size, len(b), cap(b), c.want)
		}
	}
	if got := l.Out(); got != 9 {
		t.Errorf("Out() = %d after nine pooled buffers and one beyond MaxSize, want 9", got)
	}
}

// The buffer returned last is handed out first, whole again.
func TestLocalLastInFirstOut(t *testing.T) {
	var l Local
	a, b := l.Get(1000), l.Get(1000)
	l.Put(a)
	l.Put(b[:10])
	if got := l.Get(600); &got[0] != &b[0] || len(got) != 1024 {
		t.Errorf("Get returned another buffer than the last Put, or %d bytes of it", len(got))
	}
	if got := l.Get(1024); &got[0] != &a[0] {
		t.Errorf("Get returned another buffer than the one before the last Put")
	}
	if l.Out() != 2 || l.Held() != 0 {
		t.Errorf("Out() = %d, Held() = %d, want 2, 0", l.Out(), l.Held())
	}
}

func TestLocalPutForeign(t *testing.T) {
	var l Local
	for _, b := range [][]byte{nil, {}, make([]byte, 511), make([]byte, 1000), make([]byte, 2*MaxSize), make([]byte, 1024)[1:]} {
		l.Put(b)
		if l.Held() != 0 || l.Out() != 0 {
			t.Fatalf("Put of %d bytes was kept: Held() = %d, Out() = %d", cap(b), l.Held(), l.Out())
		}
	}
	l.Put(make([]byte, 3, 2048))
	if l.Held() != 2048 || l.Out() != -1 {
		t.Errorf("Put of a made buffer of class size: Held() = %d, Out() = %d, want 2048, -1", l.Held(), l.Out())
	}
}

// What does not fit goes to Shared, and comes back from there.
func TestLocalSpillAndRefill(t *testing.T) {
	s := &Shared{Keep: 2 * 4096}
	l := Local{Shared: s, Keep: 3*4096 + 100}
	var bufs [][]byte
	for range 7 {
		bufs = append(bufs, l.Get(4096))
	}
	for _, b := range bufs {
		l.Put(b)
	}
	if l.Held() != 3*4096 || s.Held() != 2*4096 {
		t.Fatalf("after 7 Puts: Local holds %d, Shared %d, want %d, %d", l.Held(), s.Held(), 3*4096, 2*4096)
	}
	seen := map[*byte]bool{}
	for range 5 {
		seen[&l.Get(4096)[0]] = true
	}
	for i, b := range bufs[:5] {
		if !seen[&b[0]] {
			t.Errorf("buffer %d of those kept did not come back", i)
		}
	}
	if l.Held() != 0 || s.Held() != 0 || l.Out() != 5 || s.Out() != 0 {
		t.Errorf("Held() = %d, %d, Out() = %d, %d; want 0, 0, 5, 0", l.Held(), s.Held(), l.Out(), s.Out())
	}
}

func TestLocalKeepNothing(t *testing.T) {
	l := Local{Keep: -1, Shared: &Shared{Keep: -1}}
	l.Put(l.Get(512))
	l.Put(l.Get(MaxSize))
	if l.Held() != 0 || l.Shared.Held() != 0 || l.Out() != 0 {
		t.Errorf("Held() = %d, %d, Out() = %d; want 0, 0, 0", l.Held(), l.Shared.Held(), l.Out())
	}
}

func TestLocalDefaultKeep(t *testing.T) {
	var l Local
	for range 20 {
		l.Put(make([]byte, MaxSize))
	}
	if l.Held() != DefaultLocalKeep {
		t.Errorf("Held() = %d after 20 Puts of 64 KiB, want %d", l.Held(), DefaultLocalKeep)
	}
}

// Trim halves the spares, keeps what was needed, and in the end keeps nothing.
func TestLocalTrim(t *testing.T) {
	var l Local
	var bufs [][]byte
	for range 10 {
		bufs = append(bufs, l.Get(8192))
	}
	for _, b := range bufs {
		l.Put(b)
	}
	l.Trim() // the list was empty a moment ago: nothing was spare
	if l.Held() != 10*8192 {
		t.Fatalf("first Trim left %d buffers, want 10", l.Held()/8192)
	}
	use := func(n int) {
		var out [][]byte
		for range n {
			out = append(out, l.Get(8192))
		}
		for _, b := range out {
			l.Put(b)
		}
	}
	use(6) // so four are spare
	l.Trim()
	if l.Held() != 8*8192 {
		t.Fatalf("Trim with 4 of 10 spare left %d, want 8", l.Held()/8192)
	}
	if b := l.Get(8192); &b[0] != &bufs[4][0] { // use reversed the upper six
		t.Errorf("Trim dropped the warm end of the list")
	} else {
		l.Put(b)
	}
	for _, want := range []int{4, 2, 1, 0} { // of eight, seven were spare
		l.Trim()
		if got := l.Held() / 8192; got != want {
			t.Fatalf("idle Trim left %d, want %d", got, want)
		}
	}
	if l.lists[4].bufs != nil {
		t.Errorf("an empty list keeps its own memory after Trim")
	}
}

// A Local and a Shared against counters, under random use.
func TestLocalModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := &Shared{Keep: 128 << 10}
	l := Local{Shared: s, Keep: 64 << 10}
	type held struct {
		b    []byte
		mark byte
	}
	var mine []held
	owned := map[*byte]bool{}
	for step := range 50_000 {
		switch op := rng.IntN(100); {
		case op < 50:
			size := 1 + rng.IntN(1<<(1+rng.IntN(17)))
			b := l.Get(size)
			if len(b) < size || len(b) != cap(b) {
				t.Fatalf("step %d: Get(%d) has len %d, cap %d", step, size, len(b), cap(b))
			}
			if owned[&b[0]] {
				t.Fatalf("step %d: Get handed out a buffer that is in use", step)
			}
			owned[&b[0]] = true
			mark := byte(step)
			b[0], b[len(b)-1] = mark, mark
			mine = append(mine, held{b, mark})
		case op < 98 && len(mine) > 0:
			i := rng.IntN(len(mine))
			h := mine[i]
			mine[i] = mine[len(mine)-1]
			mine = mine[:len(mine)-1]
			if h.b[0] != h.mark || h.b[len(h.b)-1] != h.mark {
				t.Fatalf("step %d: a buffer changed while it was owned", step)
			}
			delete(owned, &h.b[0])
			if op%2 == 0 {
				l.Put(h.b[:rng.IntN(len(h.b))])
			} else {
				s.Put(h.b)
			}
		case op == 98:
			l.Trim()
		default:
			s.Trim()
		}
		pooled := 0
		for _, h := range mine {
			if len(h.b) <= MaxSize {
				pooled++
			}
		}
		if out := l.Out() + s.Out(); out != pooled {
			t.Fatalf("step %d: Out() sums to %d with %d buffers in use", step, out, pooled)
		}
		for c := range Classes {
			if n := len(l.lists[c].bufs) * classSize(c); n > 64<<10 {
				t.Fatalf("step %d: class %d keeps %d bytes, over its bound", step, c, n)
			}
		}
		if s.Held() > Classes*128<<10 {
			t.Fatalf("step %d: Shared holds %d bytes, over its bound", step, s.Held())
		}
	}
}
