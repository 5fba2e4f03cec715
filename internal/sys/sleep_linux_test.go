// A goroutine that sleeps keeps no other from running.

package sys

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSleepKeepsNoP makes two goroutines share one P. One sleeps over and over, each time for less
// than sysmon takes to notice: the other must run in between all the same.
func TestSleepKeepsNoP(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would interrupt the goroutine that runs
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
			// A goroutine that has run for 10 ms is interrupted, perhaps in the middle of its turn.
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
	// Once in 61 times the scheduler prefers the global queue to the next goroutine, and that may
	// be the sleeper again. A sleeper that keeps the P does so nearly each time.
	if n := kept.Load(); n > enough/10 {
		t.Errorf("in %d sleeps of %d the other has not run", n, enough)
	}
}
