// The predictor: which handlers are expected to block. It is a small table under a coarse key, and
// costs nothing where there is nothing to predict: it starts with the first handler that loses its
// loop, and stops when none has for a while.
//
//	         loses its loop, or blocks elsewhere
//	on loops ─────────────────────────────────▶ handed off
//	    ▲                                           │ after trialAfter quick ones more than are
//	    └───────────────────────────────────────────┘ needed to make up for those that blocked:
//	      a trial; one that fails doubles trialAfter
//
// A strike costs the loop, and all that wait for it, a stall of one threshold; handing off costs a
// wake-up, an eight-hundredth of that at most (quickPerBlock). So one strike is reason enough to find
// out, away from the loop and for about the price of another strike, how many of the kind block.
// One in a few hundred is too many, one in a thousand is not.
//
// What stalls may cost together is bounded by a budget of half a percent of the time: a loop that
// is half busy takes as long again to make up for a stall, so no more than one in a hundred of the
// others ever sees one. When the budget is spent, kinds that are not known to be quick are handed
// off too, and learned about there, without a stall; when it is spent twice over, every kind is.
//
// Nothing of this can be poisoned from outside. The table has a fixed size. Keys are hashed with a
// secret seed, so nobody can aim at an entry that is not theirs; requests can only displace
// entries, first those that have not been asked for the longest, and the price of a lost or a wrong
// entry is a wake-up, or a stall within the budget. A client that makes handlers of a kind block
// has that kind handed off, for others too.

package loop

import "math"

const (
	guessSets     = 64
	guessWays     = 4
	handNanos     = 3000                   // most that handing a handler off costs
	quickPerBlock = stallNanos / handNanos // quick handed-off handlers that make up for one that blocked
	quickNanos    = 50_000                 // most that a quick handler takes away from the loop, our waits not counted
	blockNanos    = watchNanos / 2         // a handler that takes longer has blocked
	trialAfter    = 1024                   // when so many more were quick, the next is tried on the loop
	mostDoubled   = 8                      // how often that is doubled at most
	knownQuick    = 8                      // so many quick ones make an unknown kind known, while the budget is spent
	budgetShare   = 200                    // stalls may take one part in so many of the time
	budgetNanos   = 4 * stallNanos         // so much of it at once
	mostNanos     = 2 * budgetNanos        // with so much debt everything is handed off
	forgetTicks   = 60_000
	sleepTicks    = 10_000 // without a strike and with nothing to hand off, after which the predictor stops
	gaveUpFrom    = 8      // so many more left their loop by themselves than did not: hand off
	gaveUpMax     = 16
)

// guess is what is known of one kind of handler. Ticks are the lower 32 bits.
type guess struct {
	key       uint32 // 0: nothing
	used      uint32 // the tick when it was last asked for
	quick     uint32 // quick ones: while handed off, less the price of those that were not quick; on loops, since it came back
	handedOff bool
	known     bool  // to be quick
	doubled   uint8 // how often trialAfter has been doubled for it
	gaveUp    uint8 // score of how often they leave the loop by themselves
}

type predictor struct {
	on     bool
	always bool // hand off, whatever is known
	never  bool
	table  *[guessSets][guessWays]guess
	debt   int64 // nanoseconds of stalls not yet paid off
	paid   int64 // when the debt was last reckoned
	strike int64 // the tick of the last strike
}

// Predicts reports whether Expect needs to be asked at all. The loop must be held.
func (l *Loop) Predicts() bool { return l.predictor.on }

// Expect reports whether the handler that w is about to call, of the kind key, an odd number, should
// be handed off. w holds the loop.
func (w *Worker) Expect(key uint32) bool {
	l := w.loop
	p := &l.predictor
	if p.always {
		return true
	}
	w.Key = key
	g := p.find(key)
	if g == nil {
		return p.overdrawn(l.nanos)
	}
	g.used = uint32(l.Tick())
	if g.gaveUp > 0 {
		if g.gaveUp >= gaveUpFrom {
			return true
		}
		g.gaveUp--
	}
	if g.handedOff || p.overdrawn(l.nanos) && (!g.known || p.debt >= mostNanos) {
		return true
	}
	g.quick = min(g.quick+1, trialAfter)
	return false
}

// noteStall notes that a handler of the kind key had to be parted from its loop, which is held, after
// a stall of cost nanoseconds.
func (l *Loop) noteStall(key uint32, cost int64) {
	p := &l.predictor
	if p.never || p.always {
		return
	}
	tick := l.Tick()
	if p.overdrawn(l.nanos); p.debt < mostNanos {
		p.debt += cost
	}
	p.strike = tick
	if !p.on || key == 0 { // the first strike: no key has been set yet
		p.on = true
		return
	}
	g := p.find(key)
	switch {
	case g == nil:
		g = p.insert(key, tick)
	case g.handedOff: // this handler began before its kind was handed off
	case g.quick >= trialAfter: // the trial was right
		g.doubled = 0
	default:
		g.doubled = min(g.doubled+1, mostDoubled)
	}
	g.quick, g.handedOff = 0, true
}

// noteGaveUp notes that a handler of the kind key has left its loop by itself.
func (l *Loop) noteGaveUp(key uint32) {
	p := &l.predictor
	if p.never || p.always {
		return
	}
	p.strike = l.Tick()
	if !p.on || key == 0 {
		p.on = true
		return
	}
	g := p.find(key)
	if g == nil {
		g = p.insert(key, p.strike)
	}
	g.gaveUp = min(g.gaveUp+2, gaveUpMax)
}

// noteHandedOff notes how a handed-off handler has run: how many nanoseconds it took, and whether it
// asked to leave the loop. The loop is held. A handler that waits for less time than makes a stall
// would keep its loop that long all the same, and so has a price.
func (l *Loop) noteHandedOff(key uint32, took int64, gaveUp bool) {
	p := &l.predictor
	if p.always || key == 0 {
		return
	}
	g := p.find(key)
	if g == nil {
		g = p.insert(key, l.Tick())
	}
	switch {
	case gaveUp:
		g.gaveUp = min(g.gaveUp+1, gaveUpMax)
	case g.gaveUp > 0:
		g.gaveUp--
	}
	switch {
	case !g.handedOff && took > blockNanos:
		g.quick, g.handedOff = 0, true
	case took > quickNanos:
		g.quick -= min(g.quick, uint32(min(took, stallNanos)/handNanos))
	case !g.handedOff:
		g.quick++
		g.known = g.known || g.quick >= knownQuick
	case g.quick < trialAfter<<g.doubled:
		g.quick++
	case !p.overdrawn(l.nanos):
		g.quick, g.handedOff, g.known = 0, false, true
	}
}

// overdrawn reports whether recent stalls have cost more than they may.
func (p *predictor) overdrawn(now int64) bool {
	if p.debt == 0 {
		p.paid = now
		return false
	}
	p.debt = max(0, p.debt-(now-p.paid)/budgetShare)
	p.paid = now
	return p.debt >= budgetNanos
}

func (p *predictor) find(key uint32) *guess {
	if p.table == nil {
		return nil
	}
	set := &p.table[key>>1%guessSets]
	for i := range set {
		if set[i].key == key {
			return &set[i]
		}
	}
	return nil
}

// insert makes an entry for key, which has none, in place of the one of its set that has not been
// asked for the longest.
func (p *predictor) insert(key uint32, tick int64) *guess {
	if p.table == nil {
		p.table = new([guessSets][guessWays]guess)
	}
	set := &p.table[key>>1%guessSets]
	least, most := &set[0], int64(-1)
	for i := range set {
		g := &set[i]
		unused := int64(uint32(tick) - g.used)
		if g.key == 0 {
			unused = math.MaxInt64
		} else if unused == 0 && !g.mustHandOff() {
			unused = 1 // keep entries that are handed off: stalls depend on them
		}
		if unused > most {
			least, most = g, unused
		}
	}
	*least = guess{key: key, used: uint32(tick)}
	return least
}

// mustHandOff reports whether the kind is handed off, whatever the budget says.
func (g *guess) mustHandOff() bool { return g.handedOff || g.gaveUp >= gaveUpFrom }

// tidy forgets what has been of no use for long, and stops the predictor when nothing is left to
// predict.
func (p *predictor) tidy(tick int64) {
	if !p.on || p.always {
		return
	}
	handsOff := false
	if p.table != nil {
		for i := range p.table {
			for j := range p.table[i] {
				g := &p.table[i][j]
				if uint32(tick)-g.used > forgetTicks {
					*g = guess{}
				}
				handsOff = handsOff || g.mustHandOff()
			}
		}
	}
	if !handsOff && tick-p.strike > sleepTicks {
		p.on, p.table = false, nil
	}
}
