//go:build linux

// The counters, if there are any, against a loop of known length; otherwise the reason why
// there are none.

package perf

import (
	"errors"
	"os"
	"runtime"
	"testing"
)

func TestCounts(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c, err := Open(os.Getpid())
	if errors.Is(err, ErrUnsupported) {
		t.Skipf("this machine has %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	const turns = 10_000_000
	sum := 0
	for i := range turns {
		sum ^= i
	}
	after, err := c.Read()
	if err != nil {
		t.Fatal(err)
	}
	if got := after.Sub(before); got.User < 2*turns || got.User > 10*turns || got.Kernel == 0 || got.Cycles == 0 || sum == 1 {
		t.Errorf("%d turns of a loop: %+v", turns, got)
	}
}

func TestNoSuchProcess(t *testing.T) {
	if _, err := Open(1 << 30); err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("a process that is not there: %v", err)
	}
}
