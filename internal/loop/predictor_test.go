// The predictor by itself: what it learns, what it forgets, and what nobody can make
// it do. Ticks are the test's.

package loop

import (
	"math/rand/v2"
	"testing"
)

// guesser is a loop as far as the predictor knows it.
type guesser struct {
	*Loop
	w *Worker
}

func newGuesser(d Dispatch) guesser {
	l := &Loop{group: &Group{}}
	l.predictor.never, l.predictor.always = d == InlineAlways, d == GoroutineAlways
	l.predictor.on = l.predictor.always
	l.nanos = 1e12
	return guesser{l, &Worker{loop: l}}
}

// pass lets milliseconds go by.
func (g guesser) pass(ms int64) { g.nanos += ms * tickNanos }

// expect asks as a server does.
func (g guesser) expect(key uint32) bool { return g.Predicts() && g.w.Expect(key) }

// blocks has a handler of the kind run, one that blocks, and reports whether it was
// handed off.
func (g guesser) blocks(key uint32) bool {
	if g.expect(key) {
		g.learned(g.w.Key, true, false)
		return true
	}
	g.struck(g.w.Key)
	g.w.Key = 0
	return false
}

// runs is blocks for a handler that does not block.
func (g guesser) runs(key uint32) bool {
	if g.expect(key) {
		g.learned(g.w.Key, false, false)
		return true
	}
	g.w.Key = 0
	return false
}

func TestTwoStrikes(t *testing.T) {
	g := newGuesser(Auto)
	for i := range 3 { // the first only wakes the predictor
		if g.blocks(7) {
			t.Fatalf("handed off after %d strikes", i)
		}
		if g.runs(8) {
			t.Errorf("what never blocked was handed off after %d strikes of others", i+1)
		}
		g.pass(1)
	}
	if !g.blocks(7) || !g.runs(7) {
		t.Error("what blocks is not handed off")
	}
	if g.runs(8) || g.runs(9) {
		t.Error("what never blocked is handed off")
	}
}

// Strikes that are far apart cost less than handing off.
func TestStrikesFarApartAreForgiven(t *testing.T) {
	g := newGuesser(Auto)
	for range 100 {
		if g.blocks(7) {
			t.Fatal("handed off")
		}
		g.pass(strikeTicks + 1)
	}
}

// One in a hundred is reason to hand off all of the kind, for good; one in ten
// thousand is not.
func TestRareBlocking(t *testing.T) {
	for _, c := range []struct {
		in    int
		most  float64 // strikes for each that blocked
		least float64
	}{{2, 0.01, 0}, {100, 0.02, 0}, {10_000, 1, 0.5}} {
		g := newGuesser(Auto)
		r := rand.New(rand.NewPCG(1, uint64(c.in)))
		blocked, strikes := 0, 0
		for i := range 1_000_000 {
			if r.IntN(c.in) != 0 {
				g.runs(7)
			} else if blocked++; !g.blocks(7) {
				strikes++
			}
			if i%50 == 0 { // 50 000 a second
				g.pass(1)
			}
		}
		if share := float64(strikes) / float64(blocked); share > c.most || share < c.least {
			t.Errorf("one in %d blocks: %d of %d did so on the loop", c.in, strikes, blocked)
		}
	}
}

// What has ceased to block is tried inline again, and stays there.
func TestInlineRetry(t *testing.T) {
	g := newGuesser(Auto)
	for range 10 {
		g.blocks(7)
	}
	handedOff := 0
	for range 100_000 {
		if g.runs(7) {
			handedOff++
		}
	}
	if handedOff < enoughQuick || handedOff > enoughQuick+10*blockPrice {
		t.Errorf("%d were handed off before the next was tried inline", handedOff)
	}
	g.pass(1)
	if g.blocks(7) {
		t.Error("it was handed off although it had been quick for long")
	}
	if !g.runs(7) {
		t.Error("it has blocked again at once, and is not handed off")
	}
}

// Whatever comes, stalls are bounded: new kinds all the time, as when the path is
// noise, cost no more than their share.
func TestStallsKeepTheirBudget(t *testing.T) {
	g := newGuesser(Auto)
	r := rand.New(rand.NewPCG(2, 2))
	const seconds = 10
	strikes := 0
	for range seconds * 1000 {
		for range 20 {
			if !g.blocks(r.Uint32() | 1) {
				strikes++
			}
		}
		g.pass(1)
	}
	stalled := float64(strikes) * stallNanos / 1e9
	if stalled > 0.02*seconds {
		t.Errorf("%d stalls, %.0f ms in %d s", strikes, stalled*1000, seconds)
	}
	// Meanwhile a kind that is known to be quick stays on the loop.
	inline := 0
	for range 1000 {
		for range 20 {
			g.blocks(r.Uint32() | 1)
		}
		if !g.runs(13) {
			inline++
		}
		g.pass(1)
	}
	if inline < 900 {
		t.Errorf("%d of 1000 quick ones ran inline beside those that block", inline)
	}
}

// The table has its size, whatever is sent in.
func TestTableIsBounded(t *testing.T) {
	g := newGuesser(Auto)
	r := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		g.blocks(r.Uint32() | 1)
	}
	seen := 0
	for i := range g.predictor.table {
		for j := range g.predictor.table[i] {
			if g.predictor.table[i][j].key != 0 {
				seen++
			}
		}
	}
	if seen != guessSets*guessWays {
		t.Errorf("%d entries are used", seen)
	}
}

// Those that leave the loop by themselves are handed off when most of their kind do,
// and only then; they cost no stall.
func TestAskedFor(t *testing.T) {
	for _, c := range []struct {
		asks       float64
		least, max int
	}{{1, 9900, 10_000}, {0.8, 9500, 10_000}, {0.2, 0, 500}, {0.01, 0, 0}} {
		g := newGuesser(Auto)
		r := rand.New(rand.NewPCG(4, 4))
		handedOff := 0
		for range 10_000 {
			asks := r.Float64() < c.asks
			if g.expect(7) {
				handedOff++
				g.learned(g.w.Key, false, asks)
			} else if asks {
				g.asks(g.w.Key)
			}
			g.w.Key = 0
		}
		if handedOff < c.least || handedOff > c.max {
			t.Errorf("%v of the handlers ask, %d of 10000 were handed off", c.asks, handedOff)
		}
		if g.predictor.debt != 0 {
			t.Error("they were taken for stalls")
		}
	}
}

// The predictor sleeps until something blocks, and again when nothing does.
func TestPredictorSleeps(t *testing.T) {
	g := newGuesser(Auto)
	for range 10 {
		g.blocks(7)
	}
	sleeps := func(ms int64) bool {
		for range ms / 1000 {
			g.pass(1000)
			g.predictor.tidy(g.Tick())
		}
		return !g.Predicts()
	}
	if sleeps(forgetTicks - 1000) {
		t.Error("it sleeps while it has something to hand off")
	}
	if !sleeps(3000) || g.predictor.table != nil {
		t.Error("it does not sleep although nothing has come for long")
	}
	if g.blocks(7) {
		t.Error("it still knows what it has forgotten")
	}
	if sleeps(sleepTicks - 1000) {
		t.Error("it sleeps at once")
	}
	if !sleeps(3000) {
		t.Error("one strike keeps it awake")
	}
}

func TestFixedDispatch(t *testing.T) {
	g := newGuesser(InlineAlways)
	for range 100 {
		if g.blocks(7) {
			t.Fatal("Inline hands off")
		}
	}
	g = newGuesser(GoroutineAlways)
	for range 100 {
		if !g.runs(7) {
			t.Fatal("Goroutine does not hand off")
		}
	}
}
