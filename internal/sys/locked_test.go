// Locked: true between LockOSThread and UnlockOSThread, however often, and on nobody
// else's account.

package sys

import (
	"runtime"
	"testing"
)

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
