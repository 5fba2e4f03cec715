//go:build linux && amd64

// Threads in a timed sleep are held where they slept, so that the parts of a stepped process
// that are slow do not meet parts that run on real time.

package steps

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// shortestSleep is the shortest timed sleep that counts, in nanoseconds: the monitor's
// shortest. Go's scheduler sleeps for less in the course of its work.
const shortestSleep = 20_000

// monitorLooks is the number of times the monitor runs before it is held: it takes a
// sleeper's P away at the second; the others are a margin.
const monitorLooks = 8

// HoldMonitor holds the system monitor of a Go program, in one of its next sleeps, and
// returns when that has happened, when the monitor is in the deep sleep of an idle
// program, or when the process has ended. Without Options.HoldSleepers it does nothing.
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
		case <-tick.C: // the tracer is notified of timed sleeps only
			if inFutex(c.pid, c.monitor) {
				return
			}
		}
	}
}

// inFutex reports whether a thread sleeps until another wakes it. Such a sleep that Attach
// has interrupted continues as the system call restart_syscall.
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

// hold reports whether t has just returned from a timed sleep and is to be held there. A Go
// thread that sleeps in a system call keeps its P until the monitor takes it away; the
// monitor is therefore held last, after it has had time to do so, and no thread after it.
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
