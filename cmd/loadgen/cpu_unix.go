//go:build unix

// CPU time where there is getrusage.

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processCPU returns the CPU time that all threads of this process have used so far.
func processCPU() cpuTime {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return cpuTime{}
	}
	return cpuTime{time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())}
}
