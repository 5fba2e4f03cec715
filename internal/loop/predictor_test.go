// The predictor by itself: what it learns, what it forgets, and what nobody can make it do. Ticks
// are the test's.

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

// blocks runs a handler of the kind that blocks, and reports whether it was handed off.
func (g guesser) blocks(key uint32) bool {
	if g.expect(key) {
		g.noteHandedOff(g.w.Key, stallNanos, false)
		return true
	}
	g.noteStall(g.w.Key, stallNanos)
	g.w.Key = 0
	return false
}

// runs is blocks for a handler that does not block.
func (g guesser) runs(key uint32) bool {
	if g.expect(key) {
		g.noteHandedOff(g.w.Key, quickNanos, false)
		return true
	}
	g.w.Key = 0
	return false
}

func TestOneStrike(t *testing.T) {
	g := newGuesser(Auto)
	for i := range 2 { // the first only wakes the predictor
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

// mixture runs handlers of one kind for some seconds, 50 000 in each, of which one in so many
// blocks. It returns the strikes, and how many were handed off.
func (g guesser) mixture(seconds, in int, r *rand.Rand) (blocked, strikes, handedOff int) {
	for i := range 50_000 * seconds {
		if r.IntN(in) != 0 {
			if g.runs(7) {
				handedOff++
			}
		} else if blocked++; !g.blocks(7) {
			strikes++
		} else {
			handedOff++
		}
		if i%50 == 0 {
			g.pass(1)
		}
	}
	return blocked, strikes, handedOff
}

// One in a few hundred is reason enough to hand off all of the kind, for good. When fewer block,
// the loop's time decides: a rare one costs a stall each time, and when stalls would take too much
// time the kind is handed off now and then.
func TestRareBlocking(t *testing.T) {
	for _, c := range []struct {
		in      int
		strikes float64 // for each that blocked, at most
		stalls  float64 // of the time, at most
		away    float64 // of all, at most
		most    float64 // of all, at least
	}{
		{2, 0.0001, 0.001, 1, 0.999},
		{100, 0.001, 0.001, 1, 0.999},
		{400, 0.01, 0.003, 1, 0.98},
		{1000, 0.1, 0.007, 1, 0.8},
		{3000, 0.4, 0.007, 0.95, 0.5},
		{100_000, 1, 0.001, 0.05, 0},
	} {
		g := newGuesser(Auto)
		const seconds = 20
		blocked, strikes, handedOff := g.mixture(seconds, c.in, rand.New(rand.NewPCG(1, uint64(c.in))))
		share := float64(strikes) / float64(blocked)
		stalls := float64(strikes) * stallNanos / (seconds * 1e9)
		away := float64(handedOff) / (seconds * 50_000)
		if share > c.strikes || stalls > c.stalls || away > c.away || away < c.most {
			t.Errorf("one in %d blocks: %d of %d did so on the loop, stalls took %.2f %%, %.2f %% were handed off",
				c.in, strikes, blocked, 100*stalls, 100*away)
		}
	}
}

// quickUntil runs quick handlers until one runs on the loop, and returns how many did not.
func (g guesser) quickUntil(t *testing.T, key uint32) (handedOff int) {
	t.Helper()
	for g.runs(key) {
		if handedOff++; handedOff > 1<<20 {
			t.Fatal("it is never tried on the loop again")
		}
	}
	return handedOff
}

// A kind that no longer blocks is tried on the loop again, and stays there. One that blocks again
// at once is tried less and less often, and as soon as at first once it has been quick for long.
func TestTrials(t *testing.T) {
	g := newGuesser(Auto)
	for range 10 {
		g.blocks(7)
	}
	if n := g.quickUntil(t, 7); n < trialAfter || n > trialAfter+10*quickPerBlock {
		t.Errorf("%d were handed off before the next was tried", n)
	}
	for range 10 {
		g.pass(10_000) // so that the budget plays no part
		if g.runs(7) {
			t.Error("it was handed off although it had become quick")
		}
	}
	before := 0
	for i := range 2 + mostDoubled {
		g.pass(10_000)
		if g.blocks(7) {
			t.Fatal("it was handed off although it had become quick")
		}
		n := g.quickUntil(t, 7)
		if want := trialAfter << min(i+1, mostDoubled); n < want || n > want+1 {
			t.Errorf("after %d failed trials %d were handed off before the next", i+1, n)
		}
		if n < before {
			t.Errorf("%d, and %d before", n, before)
		}
		before = n
	}
	for range trialAfter {
		g.pass(10)
		if g.runs(7) {
			t.Fatal("it was handed off although it had become quick")
		}
	}
	g.blocks(7)
	g.pass(10_000)
	if n := g.quickUntil(t, 7); n > trialAfter+1 {
		t.Errorf("%d were handed off before the next trial of what had been quick for long", n)
	}
}

// A kind that waits for less than a stall, and was found to do so, stays away all the same, unless
// few of its handlers do.
func TestShortWaitsHaveTheirPrice(t *testing.T) {
	for _, c := range []struct {
		in    int
		tried bool
	}{{1, false}, {20, false}, {100, true}} {
		g := newGuesser(Auto)
		g.blocks(7)
		g.blocks(7)
		tried := false
		for i := range 10_000 {
			if !g.expect(7) {
				tried = true
				break
			}
			took := int64(1000)
			if i%c.in == 0 {
				took = 100_000
			}
			g.noteHandedOff(7, took, false)
		}
		if tried != c.tried {
			t.Errorf("one in %d waits for 0.1 ms; tried on the loop again: %v", c.in, tried)
		}
	}
}

// A kind of which one in a hundred blocks, in every other second, costs about one strike in each
// such second, and no other kind is handed off.
func TestBlockingInTurns(t *testing.T) {
	g := newGuesser(Auto)
	r := rand.New(rand.NewPCG(5, 5))
	strikes := 0
	const turns = 20
	for range turns {
		_, n, _ := g.mixture(1, 100, r)
		strikes += n
		for i := range 50_000 {
			g.runs(7)
			if i%50 == 0 {
				g.pass(1)
			}
		}
		if g.runs(8) {
			t.Error("another kind is handed off")
		}
	}
	if strikes > turns+2 {
		t.Errorf("%d strikes in %d turns", strikes, turns)
	}
}

// Stalls are bounded whatever comes: new kinds all the time, as when the path is noise, cost no
// more than their share.
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
	if stalled > 0.007*seconds {
		t.Errorf("%d stalls, %.0f ms in %d s", strikes, stalled*1000, seconds)
	}
	// The same of many kinds that block now and then.
	strikes = 0
	for range seconds * 1000 {
		for range 50 {
			kind := 2*r.Uint32N(100) + 1001
			if r.IntN(3000) != 0 {
				g.runs(kind)
			} else if !g.blocks(kind) {
				strikes++
			}
		}
		g.pass(1)
	}
	if stalled = float64(strikes) * stallNanos / 1e9; stalled > 0.007*seconds {
		t.Errorf("%d stalls by many kinds, %.0f ms in %d s", strikes, stalled*1000, seconds)
	}
	// The same of kinds that are quick for just as long as it takes to be known for it.
	strikes = 0
	for range seconds * 1000 {
		for range 5 {
			kind := r.Uint32() | 1
			for range knownQuick + 1 {
				g.runs(kind)
			}
			if !g.blocks(kind) {
				strikes++
			}
		}
		g.pass(1)
	}
	if stalled = float64(strikes) * stallNanos / 1e9; stalled > 0.007*seconds {
		t.Errorf("%d stalls by kinds that were quick at first, %.0f ms in %d s", strikes, stalled*1000, seconds)
	}
	// While new ones come, a kind that is known to be quick stays on the loop.
	g.pass(10_000)
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

// The table keeps its size, whatever is sent in.
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

// Handlers that leave the loop by themselves are handed off when most of their kind do so, and only
// then; they cost no stall.
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
				g.noteHandedOff(g.w.Key, 1, asks)
			} else if asks {
				g.noteGaveUp(g.w.Key)
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
