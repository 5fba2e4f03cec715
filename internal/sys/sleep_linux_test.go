// Whoever sleeps keeps nobody from running.

package sys

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSleepKeepsNoP has two goroutines share one P. One sleeps over and over, each time for
// less than it takes sysmon to find out: the other must run in between all the same.
func TestSleepKeepsNoP(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which interrupts who runs
	runtime.GC()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const enough = 300
	var turns, sleeps, kept atomic.Int64
	begun, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocks it: the thread ends, it would wake too punctually for others
		begun <- unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		for sleeps.Add(1) <= enough {
			before, at := turns.Load(), time.Now()
			Sleep(1000)
			// Whoever has run for 10 ms is interrupted, in the midst of its turn, perhaps.
			if turns.Load() == before && time.Since(at) < 10*time.Millisecond {
				kept.Add(1)
			}
		}
	}()
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	for sleeps.Load() <= enough {
		turns.Add(1)
		runtime.Gosched()
	}
	<-done
	// Once in 61 times the scheduler prefers who comes from outside to who is next, and that may be
	// the sleeper again. Whoever keeps the P does so nearly each time.
	if n := kept.Load(); n > enough/10 {
		t.Errorf("in %d sleeps of %d the other has not run", n, enough)
	}
}
