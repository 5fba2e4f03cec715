//go:build !linux || race

// Watching by one sleep after the other: where there is no other way (sleep_linux.go), and under
// the race detector, which with -cover is called in every branch.

package sys

import "sync/atomic"

// Watch looks at the list until a sentry is amiss, and returns its index; or -1, when all have been
// idle for Calm looks or stop is set. A sentry is amiss when its word has been the same, with the
// lowest bit set, for Stale looks, or when its goroutine was found waiting (Dense, Soon).
func (w *Watcher) Watch(stop *atomic.Bool) (amiss int) {
	amiss = -1
	for idle, quiet := 0, true; !stop.Load() && idle < w.Calm; {
		Sleep(w.Every)
		if amiss, quiet = w.look(); amiss < 0 && w.doubt {
			Sleep(w.Soon)
			amiss = w.again()
		}
		if amiss >= 0 {
			break
		}
		if idle++; !quiet {
			idle = 0
		}
	}
	return amiss
}
