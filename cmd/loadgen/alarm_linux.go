// The alarm on Linux: a timer descriptor in the runtime's poller. Timers of package
// time are no finer than the milliseconds of epoll_wait.

package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// alarm calls ring, on a goroutine of its own, when the time set has passed. set and stop may
// be called from any goroutine, stop only once.
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

// set makes it ring once, after d.
func (a *alarm) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(a.fd, 0, &spec, nil) // cannot fail for a positive time
}

// stop returns when the alarm will not ring again. It must not be set any more.
func (a *alarm) stop() {
	_ = a.file.Close()
	<-a.done
}
