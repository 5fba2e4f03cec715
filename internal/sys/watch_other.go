//go:build !linux || race

// Watching by one sleep after the other: where there is no other way (sleep_linux.go), and under
// the race detector, which with -cover is called in every branch.

package sys

import "sync/atomic"

// Watch looks at the list until a sentry is stalled, and returns its index; or -1, when all have
// been idle for IdleLooks looks or stop is set. A sentry is stalled when its word has been the same,
// with the lowest bit set, for StallLooks looks, or when its goroutine was found waiting
// (WaitSpacing, RecheckAfter).
func (w *Watcher) Watch(stop *atomic.Bool) (stalled int) {
	stalled = -1
	for idle, quiet := 0, true; !stop.Load() && idle < w.IdleLooks; {
		Sleep(w.Every)
		if stalled, quiet = w.look(); stalled < 0 && w.recheck {
			Sleep(w.RecheckAfter)
			stalled = w.recheckOnce()
		}
		if stalled >= 0 {
			break
		}
		if idle++; !quiet {
			idle = 0
		}
	}
	return stalled
}
