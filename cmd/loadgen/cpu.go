// CPU time of a process.

package main

import "time"

// cpuTime is the time spent in a process and, on its behalf, in the kernel.
type cpuTime struct{ user, system time.Duration }

func (t cpuTime) total() time.Duration { return t.user + t.system }

func (t cpuTime) minus(u cpuTime) cpuTime { return cpuTime{t.user - u.user, t.system - u.system} }
