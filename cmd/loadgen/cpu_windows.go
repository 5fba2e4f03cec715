// CPU time on Windows.

package main

import (
	"time"

	"golang.org/x/sys/windows"
)

// processCPU returns the CPU time that all threads of this process have used so far.
func processCPU() cpuTime {
	var born, gone, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &born, &gone, &kernel, &user) != nil {
		return cpuTime{}
	}
	return cpuTime{ticks(user), ticks(kernel)}
}

// ticks turns a span of 100 ns units into a duration.
func ticks(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
