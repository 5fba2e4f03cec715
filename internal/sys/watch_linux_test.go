// What watching costs.

package sys

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkWatch looks every 1.6 ms at one word, as gale's watchdog does while a loop is busy, and
// reports what its thread spends on a look, and what part of a core that is.
func BenchmarkWatch(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var word atomic.Uint64
	var g atomic.Uintptr
	var idle, busy, stop atomic.Bool
	idle.Store(true) // so that it ends after so many looks
	w := Watcher{List: []Sentry{NewSentry(&word, &g, &idle, &busy)}, Every: 1_600_000, StallLooks: 1, IdleLooks: b.N}
	before := threadNanos(b)
	w.Watch(&stop)
	spent := float64(threadNanos(b) - before)
	b.ReportMetric(spent/float64(b.N), "cpu-ns/look")
	b.ReportMetric(100*spent/float64(b.Elapsed()), "%-of-a-core")
}

// threadNanos returns how long the calling thread has run so far.
func threadNanos(b *testing.B) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return ts.Nano()
}
