//go:build galekqueue

// A model of kqueue on epoll, for tests: with the tag galekqueue the loops of Linux use the driver
// of macOS and BSD, so that its handling of events is run and not merely compiled. The model does
// not show what the kernels there do.
//
// A queue is an epoll set of the input filters. It contains a second set, of the output filters, so
// that the two filters of a descriptor are registrations of their own.

package sys

import (
	"sync"

	"golang.org/x/sys/unix"
)

const (
	evAdd     = 0x1
	evDelete  = 0x2
	evEnable  = 0x4
	evDisable = 0x8
	evOnce    = 0x10
	evClear   = 0x20
	evEOF     = 0x8000

	evfiltRead  = -1
	evfiltWrite = -2
	evfiltTimer = -7
)

// Kevent is what the driver sees of struct kevent.
type Kevent struct {
	filter, flags, fflags int
	udata                 uint64
}

// outputs is the token of the set of the output filters.
const outputs = ^uint64(0) - 1

// queues holds, for each queue, the set of its output filters and its timer.
var queues struct {
	sync.Mutex
	of map[int]*queue
}

type queue struct {
	outputs, timer int
	found, more    [256]EpollEvent // only one goroutine waits at a time
}

// KqueueCreate is kqueue(2).
func KqueueCreate() (int, error) {
	set, err := EpollCreate()
	if err != nil {
		return -1, err
	}
	second, err := EpollCreate()
	if err != nil {
		Close(set)
		return -1, err
	}
	if e := EpollAdd(set, second, In, outputs); e != 0 {
		Close(set)
		Close(second)
		return -1, e
	}
	queues.Lock()
	defer queues.Unlock()
	if queues.of == nil {
		queues.of = make(map[int]*queue)
	}
	queues.of[set] = &queue{outputs: second, timer: -1}
	return set, nil
}

// KqueueClose closes the queue.
func KqueueClose(set int) {
	queues.Lock()
	q := queues.of[set]
	delete(queues.of, set)
	queues.Unlock()
	Close(q.outputs)
	if q.timer >= 0 {
		Close(q.timer)
	}
	Close(set)
}

// KqueueChange is kevent(2) with one change.
func KqueueChange(set, fd, filter, what int, token uint64) Errno {
	queues.Lock()
	defer queues.Unlock()
	q := queues.of[set]
	var bits uint32
	switch {
	case q == nil:
		return unix.EBADF
	case filter == Timer:
		return q.startTimer(set, token)
	case what&Disable == 0 && filter == Output:
		bits = Out
	case what&Disable == 0:
		bits = In | PeerGone
	}
	if filter == Output {
		set = q.outputs
	}
	if what&Delete != 0 {
		return EpollDel(set, fd)
	}
	if what&Clear != 0 {
		bits |= Edge
	}
	if what&Once != 0 {
		bits |= OneShot
	}
	if e := EpollMod(set, fd, bits, token); e != unix.ENOENT || what&Add == 0 {
		return e
	}
	return EpollAdd(set, fd, bits, token)
}

func (q *queue) startTimer(set int, token uint64) Errno {
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC)
	if err != nil {
		return unix.ENOMEM
	}
	q.timer = timer
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(1e6)}
	if unix.TimerfdSettime(timer, 0, &in, nil) != nil {
		return unix.EINVAL
	}
	return EpollAdd(set, timer, In|OneShot, token)
}

// KqueueWait is kevent(2) without waiting.
func KqueueWait(set int, events []Kevent) (int, Errno) {
	queues.Lock()
	q := queues.of[set]
	queues.Unlock()
	if q == nil {
		return 0, unix.EBADF
	}
	n, e := EpollWait(set, q.found[:len(events)])
	if e != 0 {
		return 0, e
	}
	filled := 0
	for i := range q.found[:n] {
		ev := &q.found[i]
		if token := ev.token(); token != outputs {
			events[filled] = modelled(evfiltRead, ev.Events, token)
			filled++
			continue
		}
		// Leave room for the other events of this round; what finds none stays in the set.
		m, _ := EpollWait(q.outputs, q.more[:1+len(events)-n])
		for i := range max(m, 0) {
			ev := &q.more[i]
			events[filled] = modelled(evfiltWrite, ev.Events, ev.token())
			filled++
		}
	}
	return filled, 0
}

func (ev *EpollEvent) token() uint64 { return uint64(ev.Hi)<<32 | uint64(ev.Lo) }

func modelled(filter int, bits uint32, token uint64) Kevent {
	ev := Kevent{filter: filter, udata: token}
	if bits&(PeerGone|Hup|Err) != 0 {
		ev.flags = evEOF
	}
	if bits&Err != 0 {
		ev.fflags = int(unix.EIO)
	}
	return ev
}

// KqueueBlock is kevent(2) without a time limit.
func KqueueBlock(set int, events []Kevent) (int, Errno) {
	fds := []unix.PollFd{{Fd: int32(set), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, -1); err != nil {
		return 0, EINTR
	}
	return KqueueWait(set, events)
}
