// Package perf reads the processor's performance counters for another process: user and
// kernel instructions and cycles, over all of its threads. Many virtual machines and
// containers have none, or do not permit their use; Open then says why, and the caller
// falls back on CPU time.
package perf

import (
	"errors"
	"fmt"
)

// ErrUnsupported is wrapped by Open's error if no counters are available, for whatever
// reason.
var ErrUnsupported = errors.New("no performance counters")

// Counts is what a process and all its threads have executed.
type Counts struct {
	User   uint64 // instructions retired in user mode
	Kernel uint64 // instructions retired in the kernel
	Cycles uint64 // processor cycles in both
}

// Sub returns what was executed between two readings.
func (c Counts) Sub(before Counts) Counts {
	return Counts{c.User - before.User, c.Kernel - before.Kernel, c.Cycles - before.Cycles}
}

func unsupported(err error) error { return fmt.Errorf("%w: %w", ErrUnsupported, err) }
