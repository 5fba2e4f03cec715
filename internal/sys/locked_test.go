// Locked: true between LockOSThread and UnlockOSThread, however often, and not because another
// goroutine has locked its thread.

package sys

import (
	"runtime"
	"testing"
)

// MaybeLocked may be wrong, but not when it is false.
func TestMaybeLocked(t *testing.T) {
	done := make(chan [2]bool)
	go func() {
		free := MaybeLocked()
		runtime.LockOSThread()
		done <- [2]bool{free, MaybeLocked()}
	}()
	got := <-done
	if !got[1] {
		t.Error("a goroutine that has locked its thread is told that it has not")
	}
	if got[0] && FastG {
		t.Error("it is of no use: it tells maybe of a goroutine that has not locked its thread")
	}
}

func TestLocked(t *testing.T) {
	for range 20 {
		done := make(chan [5]bool)
		go func() {
			var got [5]bool
			got[0] = Locked()
			runtime.LockOSThread()
			runtime.LockOSThread()
			got[1] = Locked()
			other := make(chan bool)
			go func() { other <- Locked() }()
			got[2] = <-other
			runtime.UnlockOSThread()
			got[3] = Locked()
			UnlockThread()
			got[4] = Locked()
			done <- got
		}()
		if got, want := <-done, [5]bool{false, true, false, true, false}; got != want {
			t.Fatalf("Locked says %v, not %v", got, want)
		}
	}
}
