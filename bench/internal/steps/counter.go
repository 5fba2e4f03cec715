//go:build linux && amd64

// The tracer: a goroutine on a thread of its own, because only the thread that attached
// may control its tracees. It waits for a stop, determines its cause, and lets the thread
// execute one more instruction.

package steps

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// nudge is sent to the process to wake a tracer that waits while all threads are asleep. The
// tracer swallows it. One that slips through is ignored by most programs, and taken by Go's
// runtime for a late preemption request.
const nudge = syscall.SIGURG

// schedBatch is SCHED_BATCH of sched.h.
const schedBatch = 3

// waitFlags: wait for threads, too, but not for children that other threads of this program
// have started.
const waitFlags = unix.WALL | unix.WNOTHREAD

// Counter is attached to one process and counts its instructions.
type Counter struct {
	pid      int
	options  Options
	total    atomic.Uint64
	profile  atomic.Pointer[Profile]
	stopping atomic.Bool
	holding  atomic.Bool   // the monitor is to be held, too
	held     chan struct{} // closed when the monitor is held
	nudges   atomic.Int32
	atHold   atomic.Int32 // threads that are held
	ready    chan error
	gone     chan struct{} // closed when the tracer has released every thread
	mu       sync.Mutex
	result   Result // valid once gone is closed
	failure  error

	// Used by the tracer only.
	threads   map[int]*thread
	pending   int  // threads that have not made their first stop
	announced bool // Attach has been told the outcome
	detached  bool
	monitor   int                 // thread id of a Go program's system monitor
	clock     *clock              // nil: the process reads the real one
	stackings map[uint64]stacking // by the address of an instruction
	looks     int                 // how often the monitor has slept since a thread was last held
	rested    bool                // the monitor is held
}

// thread is one traced thread.
type thread struct {
	tid     int
	started bool
	held    bool // stopped for good, until Detach
	steps   uint64
	call    call
	next    uint64 // its instruction pointer after the last step or on entry to a handler; 0: not known yet
}

// Attach starts counting in every thread of the process, including those yet to be
// created. It returns when all of them are being stepped. The process must not have another
// tracer, and the caller needs permission to trace it. If the process is a child of this
// program and is killed while it is traced, waiting for it fails, because the tracer has
// reaped it.
func Attach(pid int, options Options) (*Counter, error) {
	c := &Counter{
		pid:       pid,
		options:   options,
		ready:     make(chan error, 1),
		held:      make(chan struct{}),
		gone:      make(chan struct{}),
		threads:   map[int]*thread{},
		stackings: map[uint64]stacking{},
		result:    Result{Threads: map[int]uint64{}, Signals: map[syscall.Signal]int{}},
	}
	go c.trace()
	if err := <-c.ready; err != nil {
		<-c.gone
		return nil, err
	}
	return c, nil
}

// Count returns the number of instructions counted so far. It may be called at any time
// from any goroutine; it is exact when the process is at rest.
func (c *Counter) Count() uint64 { return c.total.Load() }

// CountIn records in p, from now on, what is executed; nil records nothing. It may be called
// at any time from any goroutine. If the process is at rest during the call, the previous
// profile is exact and may be read.
func (c *Counter) CountIn(p Profile) { c.profile.Store(&p) }

// Detach lets the process run on at full speed and returns what was counted.
// A process that has ended meanwhile is no error.
func (c *Counter) Detach() (Result, error) {
	if c.stopping.CompareAndSwap(false, true) {
		c.nudges.Add(1)
		if err := syscall.Kill(c.pid, nudge); err != nil && !errors.Is(err, syscall.ESRCH) {
			return Result{}, fmt.Errorf("steps: %w", err)
		}
	}
	<-c.gone
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.Instructions = c.total.Load()
	return c.result, c.failure
}

func (c *Counter) trace() {
	runtime.LockOSThread() // for good: the thread ends with the goroutine, and its affinity with it
	defer close(c.gone)
	c.follow()
	if c.options.SlowClock {
		var err error
		if c.clock, err = findClock(c.pid); err != nil {
			c.announce(fmt.Errorf("steps: %w", err))
			return
		}
	}
	if err := c.seize(); err != nil {
		c.announce(err)
		return
	}
	if err := c.loop(); err != nil {
		c.mu.Lock()
		c.failure = err
		c.mu.Unlock()
	}
	c.announce(fmt.Errorf("steps: process %d has ended", c.pid))
}

// announce tells Attach the outcome; only the first call has an effect.
func (c *Counter) announce(err error) {
	if !c.announced {
		c.announced = true
		c.ready <- err
	}
}

// follow moves this thread to the processor of a process that is pinned to one: a stop is
// then a switch on one core instead of a wake-up across two. It also makes the thread a batch
// job: otherwise tracer and tracee, which wake each other every few microseconds, have been
// seen to starve all other threads on the core.
func (c *Counter) follow() {
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedBatch}, 0) // the count does not depend on it
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(c.pid, &set); err == nil && set.Count() == 1 {
		_ = unix.SchedSetaffinity(0, &set) // slower without it, but no less exact
	}
}

// seize attaches to all threads, repeatedly until there is no new one, and asks each of
// them to stop.
func (c *Counter) seize() error {
	for found := true; found; {
		found = false
		tasks, err := tasksOf(c.pid)
		if err != nil {
			return fmt.Errorf("steps: %w", err)
		}
		if len(tasks) > 1 && c.monitor == 0 {
			c.monitor = tasks[1] // the runtime starts it before any other thread
		}
		for _, tid := range tasks {
			if c.threads[tid] != nil {
				continue
			}
			switch e := ptrace(unix.PTRACE_SEIZE, tid, 0, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACEEXIT); e {
			case 0, syscall.EPERM: // EPERM: traced from birth, as the child of a thread seized before, or not permitted
				if e != 0 && len(c.threads) == 0 {
					return fmt.Errorf("steps: attach to process %d: %w", c.pid, e)
				}
				c.threads[tid] = &thread{tid: tid}
				c.pending++
				found = true
			case syscall.ESRCH: // it has ended
			default:
				return fmt.Errorf("steps: attach to thread %d: %w", tid, e)
			}
		}
	}
	for tid := range c.threads {
		_ = ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0) // a thread that has ended reports so to wait4
	}
	return nil
}

// tasksOf lists the process's threads in the order in which they were started.
func tasksOf(pid int) ([]int, error) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1) // in the kernel's order: not sorted
	if err != nil {
		return nil, err
	}
	tasks := make([]int, 0, len(names))
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, tid)
	}
	return tasks, nil
}

// loop steps until the process has ended or has been released.
func (c *Counter) loop() error {
	var status syscall.WaitStatus
	for len(c.threads) > 0 {
		tid, err := syscall.Wait4(-1, &status, waitFlags, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.ECHILD:
			return nil
		case err != nil:
			return fmt.Errorf("steps: wait: %w", err)
		}
		t := c.threads[tid]
		if t == nil { // a new thread, created by a traced one
			t = &thread{tid: tid}
			c.threads[tid] = t
			c.pending++
		}
		if status.Exited() || status.Signaled() {
			c.forget(t)
			continue
		}
		c.stopped(t, status)
		if c.stopping.Load() && !c.detached {
			c.release()
		}
	}
	return nil
}

// release detaches from the threads that are held, and asks the others to stop so that
// they can be detached from, too.
func (c *Counter) release() {
	c.detached = true
	for _, t := range c.threads {
		if t.held {
			letGo(t.tid, 0)
			c.forget(t)
		} else {
			_ = ptrace(unix.PTRACE_INTERRUPT, t.tid, 0, 0)
		}
	}
}

// forget drops a thread that has ended or was detached from.
func (c *Counter) forget(t *thread) {
	c.settle(t)
	delete(c.threads, t.tid)
	c.result.Threads[t.tid] += t.steps
}

// settle records that t has stopped for the first time.
func (c *Counter) settle(t *thread) {
	if t.started {
		return
	}
	t.started = true
	if c.pending--; c.pending == 0 {
		c.announce(nil)
	}
}

// stopped determines the cause of a stop and resumes the thread.
func (c *Counter) stopped(t *thread, status syscall.WaitStatus) {
	c.settle(t)
	signal, event := status.StopSignal(), int(status>>16)
	deliver := syscall.Signal(0)
	switch {
	case event == unix.PTRACE_EVENT_STOP && signal != syscall.SIGTRAP: // the whole process is stopped
		if !c.detached {
			_ = ptrace(unix.PTRACE_LISTEN, t.tid, 0, 0)
			return
		}
	case event == unix.PTRACE_EVENT_EXIT: // detach, so that its parent learns of its end
		_ = ptrace(unix.PTRACE_DETACH, t.tid, 0, 0)
		c.forget(t)
		return
	case event == unix.PTRACE_EVENT_STOP: // our interruption, or a new thread
		if t.next == 0 {
			t.next = uint64(userWord(t.tid, wordRip))
		}
		if c.hold(t) {
			return
		}
	case event != 0: // a thread is about to be created
	case signal == syscall.SIGTRAP:
		if deliver = c.count(t); t.held {
			return
		}
	case signal == nudge && c.nudges.CompareAndSwap(1, 0):
	default:
		deliver = signal
		c.result.Signals[signal]++
	}
	if c.detached {
		if event == unix.PTRACE_EVENT_STOP && trapPending(t.tid) {
			// The interruption has overtaken the report of a step, which would kill the
			// process once it is not traced any more: consume it first.
			_ = ptrace(unix.PTRACE_CONT, t.tid, 0, 0)
			return
		}
		letGo(t.tid, deliver)
		c.forget(t)
		return
	}
	if deliver == 0 {
		c.popFlags(t)
	}
	_ = step(t.tid, deliver) // ESRCH: it was killed, which wait4 will report
}

// trapPending reports whether a SIGTRAP is pending for the thread.
func trapPending(tid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	if err != nil {
		return false
	}
	_, rest, ok := bytes.Cut(status, []byte("SigPnd:\t"))
	if !ok || len(rest) < 16 {
		return false
	}
	mask, err := strconv.ParseUint(string(rest[:16]), 16, 64)
	return err == nil && mask&(1<<(syscall.SIGTRAP-1)) != 0
}

// count handles a stop by SIGTRAP: a step, the entry into a signal handler, or a trap of the
// program itself, whose signal it returns for delivery.
func (c *Counter) count(t *thread) syscall.Signal {
	var info trap
	if stopInfo(t.tid, &info) != 0 {
		return 0
	}
	switch info.code {
	case trapHandler:
		t.next = uint64(userWord(t.tid, wordRip))
		return 0
	case trapStep, trapSyscall:
		c.hideStep(t)
		if c.stopping.Load() { // for example, a system call that Detach has interrupted
			return 0
		}
	default:
		c.result.Signals[syscall.SIGTRAP]++
		return syscall.SIGTRAP
	}
	if info.addr == t.next {
		if code, e := peek(t.tid, info.addr); e == 0 && repeats(code[:]) {
			return 0 // within its repetitions: counted when they are over
		}
	}
	c.tally(t, info.addr)
	if info.code == trapSyscall {
		c.hold(t)
	}
	if c.clock != nil {
		c.clockStep(t, info.addr)
	}
	return 0
}

// tally counts the instruction that has taken t to address to.
func (c *Counter) tally(t *thread, to uint64) {
	if p := c.profile.Load(); p != nil && *p != nil {
		(*p)[t.next]++
	}
	t.next = to
	t.steps++
	c.total.Add(1)
}
