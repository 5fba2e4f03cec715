//go:build linux && amd64

// The tracer: one goroutine on one thread of its own, because only the thread
// that attached may speak to its tracees. It waits for a stop, decides what the
// stop was, and lets the thread go on for one more instruction.

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

// nudge is sent to the process to wake a tracer that waits for threads which
// are all asleep. The tracer swallows it; one that slips by is ignored by
// programs at large, and by Go's runtime as a belated request to give way.
const nudge = syscall.SIGURG

// schedBatch is SCHED_BATCH of sched.h.
const schedBatch = 3

// waitFlags: threads count, and other children of this program, which other
// threads started, are none of our business.
const waitFlags = unix.WALL | unix.WNOTHREAD

// Counter is attached to one process and counts its instructions.
type Counter struct {
	pid      int
	options  Options
	total    atomic.Uint64
	profile  atomic.Pointer[Profile]
	stopping atomic.Bool
	holding  atomic.Bool   // the monitor is to be held, too
	held     chan struct{} // closed when it is, or never will be
	nudges   atomic.Int32
	atHold   atomic.Int32 // threads that are held
	ready    chan error
	gone     chan struct{} // closed when the tracer has let go of everything
	mu       sync.Mutex
	result   Result // valid once gone is closed
	failure  error

	// The tracer's own.
	threads   map[int]*thread
	pending   int  // threads that have not made their first stop
	announced bool // Attach has been told
	detached  bool
	monitor   int                 // thread id of a Go program's system monitor
	clock     *clock              // nil: the process reads the real one
	stackings map[uint64]stacking // by the address of an instruction
	looks     int                 // times that the monitor has slept since a thread was held
	rested    bool                // the monitor is held
}

// thread is one traced thread.
type thread struct {
	tid     int
	started bool
	held    bool // stopped for good, until Detach
	steps   uint64
	call    call
	next    uint64 // where it was about to go on at its last stop, but one by the way
}

// Attach begins counting in every thread of the process, those to come
// included. It returns when all of them are being stepped. The process must not
// be traced by anyone else; the caller needs the right to trace it. When the
// process is this program's own child and is killed while it is traced, waiting
// for it finds nobody: the tracer has learnt of its end instead.
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

// Count gives the instructions counted so far. It may be called at any time
// from any goroutine; it is exact when the process is at rest.
func (c *Counter) Count() uint64 { return c.total.Load() }

// CountIn has p count, from now on, what is executed; nil nobody. It may be called at
// any time from any goroutine; the one before is exact, and may be looked at, when the
// process was at rest.
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

// announce tells Attach how it went, the first time.
func (c *Counter) announce(err error) {
	if !c.announced {
		c.announced = true
		c.ready <- err
	}
}

// follow moves this thread to the processor of a process that is pinned to one:
// a stop is then a switch on one core instead of a wake-up across two. As a
// batch job it waits its turn there: tracer and tracee, which wake each other
// every few microseconds, have been seen to keep everyone else off the core.
func (c *Counter) follow() {
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedBatch}, 0) // less kind without it, no less exact
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(c.pid, &set); err == nil && set.Count() == 1 {
		_ = unix.SchedSetaffinity(0, &set) // slower without it, no less exact
	}
}

// seize attaches to all threads, again and again until none is new, and asks
// each of them to stop.
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
			case 0, syscall.EPERM: // EPERM: born traced, of a thread seized before, if anything
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
	names, err := dir.Readdirnames(-1) // as the kernel lists them: unsorted
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

// loop steps until the process has ended or is let go.
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
		if t == nil { // a thread born of a traced one
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

// release lets go of the threads that are held, and asks the others to stop so
// that they can be let go.
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

// forget drops a thread that has ended or was let go.
func (c *Counter) forget(t *thread) {
	c.settle(t)
	delete(c.threads, t.tid)
	c.result.Threads[t.tid] += t.steps
}

// settle notes that t has stopped for the first time.
func (c *Counter) settle(t *thread) {
	if t.started {
		return
	}
	t.started = true
	if c.pending--; c.pending == 0 {
		c.announce(nil)
	}
}

// stopped says what a stop was and sends the thread on its way.
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
	case event == unix.PTRACE_EVENT_EXIT: // let it go: its end is its parent's to learn
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
	case event != 0: // a thread about to be born
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
			// The interruption has overtaken the report of a step, which would kill
			// the process once nobody traces it: take it first.
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
	_ = step(t.tid, deliver) // ESRCH: it was killed, and wait4 will say so
}

// trapPending says whether a SIGTRAP waits to be delivered to the thread.
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

// count takes a stop by SIGTRAP: a step, the way into a handler, or the
// program's own trap, which it is given back.
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
		if c.stopping.Load() { // a system call that Detach has broken off, for one
			return 0
		}
	default:
		c.result.Signals[syscall.SIGTRAP]++
		return syscall.SIGTRAP
	}
	if info.addr == t.next {
		if code, e := peek(t.tid, info.addr); e == 0 && repeats(code[:]) {
			return 0 // amid its repetitions: counted when it has moved on
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

// tally counts the instruction that has brought t to an address.
func (c *Counter) tally(t *thread, to uint64) {
	if p := c.profile.Load(); p != nil && *p != nil {
		(*p)[t.next]++
	}
	t.next = to
	t.steps++
	c.total.Add(1)
}
