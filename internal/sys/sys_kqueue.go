//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// System calls of the loop on macOS and BSD that are made in the same way on all of them. Those of
// the hot path are in sys_kqueue_raw.go and sys_kqueue_libc.go.

package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Readiness bits of Kevent.Bits.
const (
	In       = 1 << iota
	Out      // can be written to
	PeerGone // the peer will send no more
	Hup      // what epoll has
	Err
)

const (
	evAdd     = unix.EV_ADD
	evDelete  = unix.EV_DELETE
	evEnable  = unix.EV_ENABLE
	evDisable = unix.EV_DISABLE
	evOnce    = unix.EV_ONESHOT
	evClear   = unix.EV_CLEAR
	evEOF     = unix.EV_EOF

	evfiltRead  = unix.EVFILT_READ
	evfiltWrite = unix.EVFILT_WRITE
	evfiltTimer = unix.EVFILT_TIMER
)

// timerMillis is how long a Timer waits.
const timerMillis = 1

// The two must agree: unix.Kevent is called with ours.
var _ = [1]struct{}{}[unsafe.Sizeof(Kevent{})-unsafe.Sizeof(unix.Kevent_t{})]

// KqueueCreate returns a new close-on-exec kernel event queue. (A forked child does not inherit its
// parent's kqueues.)
func KqueueCreate() (int, error) {
	fd, err := unix.Kqueue()
	if err == nil {
		unix.CloseOnExec(fd)
	}
	return fd, err
}

// KqueueClose closes the queue, and with it what is registered.
func KqueueClose(set int) { Close(set) }

// KqueueChange registers a filter of fd with set, or changes its registration:
// what is a combination of Add, Delete and so on. token comes back in each event,
// and must be given each time.
func KqueueChange(set, fd, filter, what int, token uint64) Errno {
	ev := [1]Kevent{{
		ident:  uint64(fd),
		filter: keventFilter(filter),
		flags:  keventFlags(what),
		udata:  token,
	}}
	if filter == Timer {
		ev[0].data = timerMillis
	}
	for {
		if _, e := kevent(set, ev[:], nil, nil); e != EINTR { // it has changed all or nothing
			return e
		}
	}
}

// KqueueBlock waits until set has events and returns how many it put into events. The scheduler is
// told of a system call, and the P goes on without the thread.
func KqueueBlock(set int, events []Kevent) (int, Errno) { return kevent(set, nil, events, nil) }

// kevent is unix.Kevent with our events. The scheduler is told of a system call.
func kevent(set int, changes, events []Kevent, timeout *unix.Timespec) (int, Errno) {
	// SAFETY: a Kevent has the layout of a unix.Kevent_t, but for a udata that the
	// garbage collector does not follow. The slices stay reachable until the call
	// returns, and nothing keeps them.
	n, err := unix.Kevent(set,
		unsafe.Slice((*unix.Kevent_t)(unsafe.Pointer(unsafe.SliceData(changes))), len(changes)),
		unsafe.Slice((*unix.Kevent_t)(unsafe.Pointer(unsafe.SliceData(events))), len(events)),
		timeout)
	return n, errno(err)
}

// errno returns the number of an error of package unix.
func errno(err error) Errno {
	if err == nil {
		return 0
	}
	if e, ok := err.(Errno); ok {
		return e
	}
	return unix.EINVAL
}

// Sleep lets the calling thread, and not only the goroutine, wait for ns
// nanoseconds: the scheduler is told of a system call and has no part in the
// waking.
func Sleep(ns int64) {
	tv := unix.NsecToTimeval(ns)
	_, _ = unix.Select(0, nil, nil, nil, &tv)
}
