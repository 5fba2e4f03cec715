// The alarm on Linux: a timer descriptor in the runtime's poller. Timers of package
// time are only as fine as the milliseconds of epoll_wait.

package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm calls ring, on a goroutine of its own, when it is time. set and stop may be
// called from any goroutine, stop once.
type alarm struct {
	file *os.File
	fd   int
	done chan struct{}
}

func newAlarm(ring func()) (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "timer"), fd: fd, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		var expirations [8]byte
		for {
			if _, err := a.file.Read(expirations[:]); err != nil {
				return // stopped
			}
			ring()
		}
	}()
	return a, nil
}

// set has it ring once, in d from now.
func (a *alarm) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(a.fd, 0, &spec, nil) // fails for no time that is positive
}

// stop returns when it will not ring again. Nobody sets it any more.
func (a *alarm) stop() {
	_ = a.file.Close()
	<-a.done
}
