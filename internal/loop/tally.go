// Counting how handlers ran. The loop counts in plain fields, and publishes them once
// a turn.

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

// Fate is how a handler ran.
type Fate uint8

// The fates of handlers. Each has exactly one, the last that applies.
const (
	Inline    Fate = iota // on the loop, from beginning to end, without a wait
	Suspended             // on the loop, and it waited there
	HandedOff             // on a goroutine of the pool
	TakenOver             // it lost the loop, or left it
	fates
)

// EndHandler is End for a handler that is to be counted.
func (w *Worker) EndHandler() bool {
	// Nearly always this is all that End does.
	held := w.held
	if held != 0 && w.loop.lease.word.CompareAndSwap(held, held&^inHandler) {
		w.held, w.early.shown = 0, false
		if sys.MaybeLocked() {
			sys.UnlockThread()
		}
	} else if !w.End() {
		if w.alone {
			w.loop.tallies[HandedOff].Add(1)
		}
		return false
	}
	w.Key = 0
	if len(w.own) > 0 {
		w.forgotten()
	}
	if w.waited {
		w.loop.tally[Suspended]++
	} else {
		w.loop.tally[Inline]++
	}
	return true
}

// CountHandOff counts a handler that was handed off. w holds the loop.
func (w *Worker) CountHandOff() { w.loop.tally[HandedOff]++ }

// publish shows the world what was counted.
func (l *Loop) publish() {
	for i, n := range l.tally {
		if n != l.shown[i] {
			l.tallies[i].Add(n - l.shown[i])
			l.shown[i] = n
		}
	}
}

// Tally returns how many handlers had the fate so far. Any goroutine may call it; it
// is as new as the loop's last turn.
func (l *Loop) Tally(f Fate) uint64 { return l.tallies[f].Load() }

type tallies = [fates]atomic.Uint64
