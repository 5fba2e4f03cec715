//go:build linux && amd64

// Rest: to count the cost of a burst of work, one must know when it is over, to the last
// instruction.

package steps

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
)

// AwaitRest returns when every thread of the process sleeps in the kernel, or is held:
// then Count stands still, and is exact. It returns early, with its error, when ctx is
// done.
func (c *Counter) AwaitRest(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	calm, last := 0, c.Count()
	for calm < 3 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.gone:
			return fmt.Errorf("steps: process %d has ended", c.pid)
		case <-tick.C:
		}
		if n := c.Count(); n == last && c.asleep() {
			calm++
		} else {
			calm, last = 0, n
		}
	}
	return nil
}

// asleep reports whether no thread runs, or is stopped and about to go on.
func (c *Counter) asleep() bool {
	tasks, err := tasksOf(c.pid)
	if err != nil {
		return false
	}
	held := int(c.atHold.Load())
	for _, tid := range tasks {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", c.pid, tid))
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		switch {
		case len(rest) > 0 && rest[0] == 'S':
		case len(rest) > 0 && rest[0] == 't' && held > 0:
			held--
		default:
			return false
		}
	}
	return held == 0
}
