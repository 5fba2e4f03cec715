// Whoever sleeps keeps nobody from running.

package sys

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSleepKeepsNoP has two goroutines share one P. One sleeps over and over, each time for
// less than it takes sysmon to find out: the other must run in between all the same.
func TestSleepKeepsNoP(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var sleeps atomic.Int64
	var stop atomic.Bool
	begun, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocks it: the thread ends, it would wake too punctually for others
		begun <- unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		for !stop.Load() {
			Sleep(1000)
			sleeps.Add(1)
		}
	}()
	if err := <-begun; err != nil {
		t.Fatal(err)
	}
	const turns = 200
	for range turns {
		runtime.Gosched()
	}
	n := sleeps.Load()
	stop.Store(true)
	<-done
	if n > turns+1 {
		t.Errorf("%d sleeps in %d turns of the other", n, turns)
	}
}
