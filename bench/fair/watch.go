// The cost of watching the loops, as the kernel accounts for it.

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
)

// watch measures the watchdog: its thread while the loops are busy, and the process while
// all of them are parked.
type watch struct {
	spent, over time.Duration // CPU time of its thread, and the time, while it did nothing but watch
	atRest      float64       // of a core
	stop        chan struct{}
	done        chan error
}

// between is the time between two samples. A sample is used only if there was no new call of
// Watch in it: what happens between two calls, such as a takeover, is not part of the cost of
// watching.
const between = 10 * time.Millisecond

// newWatch starts to measure.
func newWatch(work *loops) *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan error)}
	go func() { w.done <- w.sample(work) }()
	return w
}

func (w *watch) sample(work *loops) error {
	var before, cpu time.Duration
	var last uint32 // the number of calls of Watch at the last sample
	var at time.Time
	every := time.NewTicker(between)
	defer every.Stop()
	for {
		tid, times := work.WatchThread()
		now := time.Now()
		if tid != 0 {
			var err error
			if cpu, err = proc.ThreadCPU(tid); err != nil {
				return err
			}
			if _, still := work.WatchThread(); still != times {
				times = 0
			}
			if times != 0 && times == last {
				w.spent += cpu - before
				w.over += now.Sub(at)
			}
		}
		before, last, at = cpu, times, now
		select {
		case <-w.stop:
			return nil
		case <-every.C:
		}
	}
}

// end ends the measurement that newWatch started.
func (w *watch) end() error {
	close(w.stop)
	return <-w.done
}

func (w *watch) print() {
	if w.over == 0 {
		fmt.Print("  what the watchdog took was not to be told")
	} else {
		fmt.Printf("  the watchdog took %.2f %% of a core", 100*w.spent.Seconds()/w.over.Seconds())
	}
	fmt.Printf("; afterwards, with every loop parked, the whole process took %.4f %%\n", 100*w.atRest)
}

// rest ends the work and measures the process for a while.
func (w *watch) rest(work *loops, span time.Duration) error {
	work.over.Store(true)
	if err := parked(work); err != nil {
		return err
	}
	before, err := processCPU()
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(span) // sleep: the span that is measured
	after, err := processCPU()
	w.atRest = (after - before).Seconds() / time.Since(began).Seconds()
	return err
}

// parked returns when the loops are no longer watched, because all of them are parked. (A
// takeover interrupts the watching only for a moment.)
func parked(work *loops) error {
	every, late := time.NewTicker(between), time.After(10*time.Second)
	defer every.Stop()
	for unwatched := 0; unwatched < 2; unwatched++ {
		select {
		case <-every.C:
		case <-late:
			return errors.New("the loops do not come to rest")
		}
		if tid, _ := work.WatchThread(); tid != 0 {
			unwatched = -1
		}
	}
	return nil
}

// processCPU returns the CPU time of this process.
func processCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), os.NewSyscallError("getrusage", err)
}
