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
	Aside                 // no handler's: other user code that lost the loop (BeginAside)
	fates
)

// EndHandler is End for a handler that is to be counted.
func (w *Worker) EndHandler() bool {
	// Nearly always this is all that End does.
	if held := w.held; held != 0 {
		if w.loop.lease.word.CompareAndSwap(held, held&^inHandler) {
			w.held, w.early.shown, w.Key = 0, false, 0
			if sys.MaybeLocked() {
				sys.UnlockThread()
			}
			if len(w.own) > 0 || w.waited {
				w.count()
			} else {
				w.loop.tally[Inline]++
			}
			return true
		}
	}
	if w.End() {
		w.Key = 0
		w.count()
		return true
	}
	if w.groupGoroutine {
		w.loop.tallies[HandedOff].Add(1)
	}
	return false
}

// count counts a handler that has returned, on the loop.
func (w *Worker) count() {
	if len(w.own) > 0 {
		w.detachLeftovers()
	}
	fate := Inline
	if w.waited {
		fate = Suspended
	}
	w.loop.tally[fate]++
}

// CountHandOff counts a handler that was handed off. w holds the loop.
func (w *Worker) CountHandOff() { w.loop.tally[HandedOff]++ }

// publish makes what was counted visible to every goroutine.
func (l *Loop) publish() {
	for i, n := range l.tally {
		if n != l.shown[i] {
			l.tallies[i].Add(n - l.shown[i])
			l.shown[i] = n
		}
	}
}

// Tally returns how many handlers have had the fate so far, as of the loop's last turn. Any
// goroutine may call it.
func (l *Loop) Tally(f Fate) uint64 { return l.tallies[f].Load() }

type tallies = [fates]atomic.Uint64
