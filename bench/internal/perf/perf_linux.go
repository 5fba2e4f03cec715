// Perf events: three for each existing thread, inherited by the threads it starts, and
// summed when read.

package perf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// event is one kind of count: what, and in which mode.
type event struct {
	config  uint64
	exclude uint64
	field   func(*Counts) *uint64
}

var events = []event{
	{unix.PERF_COUNT_HW_INSTRUCTIONS, unix.PerfBitExcludeKernel, func(c *Counts) *uint64 { return &c.User }},
	{unix.PERF_COUNT_HW_INSTRUCTIONS, unix.PerfBitExcludeUser, func(c *Counts) *uint64 { return &c.Kernel }},
	{unix.PERF_COUNT_HW_CPU_CYCLES, 0, func(c *Counts) *uint64 { return &c.Cycles }},
}

// Counter counts for one or more processes from Open on. It may be used by one goroutine
// at a time.
type Counter struct {
	fds [][]int // by event
	tid map[int]bool
}

// Open counts for the processes and their threads, including those yet to be created. The
// error wraps ErrUnsupported if the machine has no counters or does not permit their use.
// Close the Counter after use.
func Open(pids ...int) (*Counter, error) {
	c := &Counter{fds: make([][]int, len(events)), tid: map[int]bool{}}
	for _, pid := range pids {
		if err := c.add(pid); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// add opens events for each thread, repeatedly until there is no new one: a thread that was
// started meanwhile by one without events inherits none.
func (c *Counter) add(pid int) error {
	for found := true; found; {
		found = false
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return err
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(task.Name())
			if err != nil || c.tid[tid] {
				continue
			}
			c.tid[tid], found = true, true
			if err := c.addThread(tid); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
	}
	return nil
}

func (c *Counter) addThread(tid int) error {
	for i, e := range events {
		attr := unix.PerfEventAttr{
			Type:        unix.PERF_TYPE_HARDWARE,
			Size:        unix.PERF_ATTR_SIZE_VER0,
			Config:      e.config,
			Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
			Bits:        unix.PerfBitInherit | unix.PerfBitExcludeHv | e.exclude,
		}
		fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
		switch {
		case errors.Is(err, syscall.ESRCH):
			return err
		case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
			return unsupported(fmt.Errorf("not permitted (%w); see kernel.perf_event_paranoid", err))
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENODEV):
			return unsupported(fmt.Errorf("this machine's processor does not offer them (%w)", err))
		case err != nil:
			return unsupported(err)
		}
		c.fds[i] = append(c.fds[i], fd)
	}
	return nil
}

// Read returns the sums since Open. Counts of an event that had to share the processor's
// counters with others are scaled to the whole time.
func (c *Counter) Read() (Counts, error) {
	var sum Counts
	var b [24]byte
	for i, e := range events {
		for _, fd := range c.fds[i] {
			if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
				return Counts{}, fmt.Errorf("read a counter: %d bytes, %w", n, err)
			}
			value := binary.NativeEndian.Uint64(b[:])
			enabled, running := binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:])
			if running > 0 && running < enabled {
				value = uint64(float64(value) * float64(enabled) / float64(running))
			}
			*e.field(&sum) += value
		}
	}
	return sum, nil
}

// Close ends the count and closes the events.
func (c *Counter) Close() {
	for _, fds := range c.fds {
		for _, fd := range fds {
			_ = unix.Close(fd) // nothing was written
		}
	}
	c.fds = make([][]int, len(events))
}
