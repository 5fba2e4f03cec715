// Package steps counts the user-mode instructions that another process executes, exactly,
// on machines without performance counters: it attaches to every thread with ptrace and
// steps each one instruction at a time.
//
// A process that is stepped runs some thousand times slower, so it gets a few hundred
// requests, not a few million. Every instruction retired in user mode by any thread is
// counted, signal handlers and vDSO included; a repeated string instruction (rep movs and
// the like) counts as one, as in the hardware's counter.
//
// The slowness affects what a program does by the clock rather than by the request, which
// in Go programs is a lot: to the system monitor every goroutine seems to run for too long,
// and to gale's watchdog every handler seems to block. So the process can be given a clock
// as slow as itself (Options.SlowClock), and threads that sleep can be held where they slept
// (Options.HoldSleepers): what they would have done is not counted, and what they would have
// caused does not happen. A garbage collection falls either inside the window or outside of
// it; its cost per request shows only in windows that hold many collections.
//
// A step costs 2 µs on bare metal and 20 µs in some virtual machines, where the hypervisor
// is involved in each.
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
	// HoldSleepers holds threads of a Go program that return from a timed sleep
	// (nanosleep), until Detach. The runtime's monitor is one of them, but is held
	// only after Counter.HoldMonitor: it must first take the Ps from the others.
	HoldSleepers bool

	// SlowClock makes time advance by 4 ns per instruction counted, for programs that
	// read the clock through the vDSO. At Detach, time jumps ahead.
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
