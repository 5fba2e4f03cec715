// Package steps counts the user-mode instructions that another process
// executes, exactly, on machines that have no performance counters for it: it
// attaches to every thread with ptrace and steps each one instruction at a
// time.
//
// A process under it runs some thousand times slower, so it is given a few
// hundred requests and not a few million. What is counted is every instruction
// retired in user mode by any thread, signal handlers and vDSO included; a
// repeated string instruction (rep movs and the like) is one, as in the
// hardware's own counter.
//
// The slowness shows in what a program does by the clock rather than by the
// request, and in Go programs that is a lot: the system monitor finds every
// goroutine to have run for too long, and gale's watchdog finds every handler to
// be blocking. So the process can be given a clock as slow as itself
// (Options.SlowClock), and threads that sleep can be held where they slept
// (Options.HoldSleepers): what they would have done is not counted, and what they
// would have caused does not happen. A garbage collection falls inside the window or outside of it; what it costs per request shows only
// in windows that hold many of them.
//
// A step costs 2 µs on bare metal and 20 µs in some virtual machines, whose
// hypervisor takes part in each.
//
// Linux on amd64 only; elsewhere Attach returns ErrUnsupported.
package steps

import (
	"errors"
	"syscall"
)

// ErrUnsupported is returned by Attach where there is no single-stepping.
var ErrUnsupported = errors.New("steps: single-stepping needs Linux on amd64")

// Options says how to count.
type Options struct {
	// HoldSleepers holds threads of a Go program that return from a sleep by the
	// clock (nanosleep), until Detach. The runtime's monitor is one of them, and
	// is held only when Counter.HoldMonitor is called: it has to take the
	// processors from the others first.
	HoldSleepers bool

	// SlowClock lets time advance by 4 ns with each instruction counted, for
	// programs that read the clock through the vDSO. After Detach it jumps.
	SlowClock bool
}

// Profile is how often the instruction at each address was executed.
type Profile map[uint64]uint64

// Result is what a Counter saw between Attach and Detach.
type Result struct {
	Instructions uint64                 // by all threads
	Threads      map[int]uint64         // instructions by thread id, threads that have ended included
	Signals      map[syscall.Signal]int // signals delivered, by number
}
