// Parking: a loop with nothing to do is woken by what it waits for, once.

package loop

import (
	"encoding/binary"
	"syscall"
	"testing"
)

// Many messages to a parked loop are one wake-up.
func TestPostWakesAParkedLoopOnce(t *testing.T) {
	l, err := newLoop(&Group{config: Config{Loops: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.release()
	l.parked.Store(true)
	for range 3 {
		if !l.Post(func(*Loop) {}) {
			t.Fatal("the loop has ended")
		}
	}
	var count [8]byte
	if _, err := syscall.Read(l.poller.wakeFD, count[:]); err != nil {
		t.Fatal(err)
	}
	if n := binary.NativeEndian.Uint64(count[:]); n != 1 {
		t.Errorf("three messages woke the loop %d times", n)
	}
}
