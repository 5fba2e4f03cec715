//go:build linux && amd64

// Threads that sleep by the clock are held where they slept, so that a process
// made slow is not judged by those of its parts that time made no slower.

package steps

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// shortestSleep is what counts as sleeping by the clock, in nanoseconds: the
// monitor's shortest. Go's scheduler sleeps for less amid its work.
const shortestSleep = 20_000

// monitorLooks is how often the monitor looks around before it is held: the
// second time it takes a sleeper's processor away, the others are to be sure.
const monitorLooks = 8

// HoldMonitor holds the system monitor of a Go program the next time it sleeps,
// and returns when that has happened, when it lies in the deep sleep of an idle
// program, or when the process has ended. Without Options.HoldSleepers it does
// nothing.
func (c *Counter) HoldMonitor() {
	if !c.options.HoldSleepers {
		return
	}
	c.holding.Store(true)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.held:
			return
		case <-c.gone:
			return
		case <-tick.C: // only a sleep by the clock is an event for the tracer
			if inFutex(c.pid, c.monitor) {
				return
			}
		}
	}
}

// inFutex says whether a thread sleeps until another wakes it. Such a sleep that
// Attach has broken off goes on as a call by the name of restart_syscall.
func inFutex(pid, tid int) bool {
	dir := fmt.Sprintf("/proc/%d/task/%d", pid, tid)
	line, err := os.ReadFile(dir + "/syscall")
	if err != nil {
		return false
	}
	call, _, _ := bytes.Cut(line, []byte{' '})
	if n, err := strconv.Atoi(string(call)); err != nil || n != unix.SYS_FUTEX && n != unix.SYS_RESTART_SYSCALL {
		return false
	}
	stat, err := os.ReadFile(dir + "/stat")
	return err == nil && bytes.Contains(stat, []byte(") S "))
}

// hold says whether t stands where it slept and is to stay there. A Go thread
// that sleeps in a system call keeps its processor until the monitor takes it
// away; hence the monitor is held last, when it has had the time for that, and
// nobody after it.
func (c *Counter) hold(t *thread) bool {
	if !c.options.HoldSleepers || c.stopping.Load() || c.rested || sleepOf(t.tid) < shortestSleep {
		return false
	}
	if t.tid == c.monitor {
		if c.looks++; c.looks < monitorLooks || !c.holding.Load() {
			return false
		}
		c.rested = true
		close(c.held)
	}
	c.looks = 0
	t.held = true
	c.atHold.Add(1)
	return true
}
