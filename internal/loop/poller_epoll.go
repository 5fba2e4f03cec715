//go:build linux && !galekqueue

// The poller on Linux: three nested epoll sets.
//
//	streams ─▶ set ─▶ gate (one-shot) ─▶ Go's netpoller
//
// A busy loop polls set, without waiting. An idle loop arms the gate and reads
// from it as one reads from a file: its goroutine parks in Go's own netpoller and
// holds neither a P nor a thread. The gate is there because set, registered
// directly, would wake the netpoller at every event of a busy loop as well.

package loop

import (
	"errors"
	"os"
	"syscall"

	"github.com/gale-http/gale/internal/sys"
)

// HavePoller reports whether this platform has a poller of its own, and with it loops.
const HavePoller = true

// outputStays reports whether wantOutput holds for good.
const outputStays = true

const maxEvents = 256

// wakeToken is the token of wakeFD.
const wakeToken = ^uint64(0)

type poller struct {
	set    int // every stream of the loop, and wakeFD
	gate   int // set, one-shot
	wakeFD int // eventfd: the inbox has something for a parked loop

	file   *os.File // owns gate
	raw    syscall.RawConn
	opened func(uintptr) bool // whether the gate has let an event through
	limit  int64              // the read deadline set on file, in ticks; 0 none

	events [maxEvents]sys.EpollEvent
	next   int
	n      int
}

// open makes the sets. The poller is closed with close, once, by its last user.
func (p *poller) open() (err error) {
	p.set, p.gate, p.wakeFD = -1, -1, -1
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.set, err = sys.EpollCreate(); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if p.wakeFD, err = sys.Eventfd(); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if e := sys.EpollAdd(p.set, p.wakeFD, sys.In|sys.Edge, wakeToken); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	gate, err := sys.EpollCreate()
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = sys.SetNonblock(gate); err != nil {
		sys.Close(gate)
		return os.NewSyscallError("fcntl", err)
	}
	p.gate, p.file = gate, os.NewFile(uintptr(gate), "epoll")
	if e := sys.EpollAdd(p.gate, p.set, sys.OneShot, 0); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return err
	}
	p.opened = func(uintptr) bool {
		var one [1]sys.EpollEvent
		n, _ := sys.EpollWait(p.gate, one[:])
		return n > 0
	}
	return nil
}

func (p *poller) close() {
	if p.file != nil {
		_ = p.file.Close()
	}
	if p.set >= 0 {
		sys.Close(p.set)
	}
	if p.wakeFD >= 0 {
		sys.Close(p.wakeFD)
	}
	p.set, p.gate, p.wakeFD = -1, -1, -1
}

// add registers fd for edges of input and hang-up.
func (p *poller) add(fd int, token uint64) error {
	e := sys.EpollAdd(p.set, fd, sys.In|sys.PeerGone|sys.Edge, token)
	if e != 0 && e != sys.EEXIST { // wantOutput was first
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// addAccept registers a listening socket, which is reported as long as connections are queued.
func (p *poller) addAccept(fd int, token uint64) error {
	if e := sys.EpollAdd(p.set, fd, sys.In, token); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// wantOutput adds edges of output to what fd is registered for. Any goroutine that knows fd and the
// poller to be open may call it, even while another one is about to call add.
func (p *poller) wantOutput(fd int, token uint64) error {
	const bits = sys.In | sys.PeerGone | sys.Out | sys.Edge
	e := sys.EpollMod(p.set, fd, bits, token)
	if e == sys.ENOENT {
		if e = sys.EpollAdd(p.set, fd, bits, token); e == sys.EEXIST {
			e = sys.EpollMod(p.set, fd, bits, token)
		}
	}
	if e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// move gives fd another token.
func (p *poller) move(fd int, token uint64, output bool) error {
	bits := uint32(sys.In | sys.PeerGone | sys.Edge)
	if output {
		bits |= sys.Out
	}
	if e := sys.EpollMod(p.set, fd, bits, token); e != 0 {
		return os.NewSyscallError("epoll_ctl", e)
	}
	return nil
}

// pauseAccept and resumeAccept turn a listening socket's events off and on.
func (p *poller) pauseAccept(fd int, token uint64) { sys.EpollMod(p.set, fd, 0, token) }

func (p *poller) resumeAccept(fd int, token uint64) { sys.EpollMod(p.set, fd, sys.In, token) }

// remove takes an open fd out of the set.
func (p *poller) remove(fd int) { sys.EpollDel(p.set, fd) }

// poll fetches what is ready, most events at most and without waiting, and reports whether there is
// any.
func (p *poller) poll(most int) bool {
	n, e := sys.EpollWait(p.set, p.events[:most])
	if e != 0 {
		n = 0
	}
	p.next, p.n = 0, n
	return n > 0
}

// event returns the next event fetched by poll.
func (p *poller) event() (index, gen, bits uint32, ok bool) {
	if p.next >= p.n {
		return 0, 0, 0, false
	}
	ev := &p.events[p.next]
	p.next++
	return ev.Lo, ev.Hi, ev.Events, true
}

// stray handles an event that is for no stream. The loop's own wake-ups end here.
func (p *poller) stray(index, gen uint32) {
	if index&gen == ^uint32(0) {
		sys.EventfdClear(p.wakeFD)
	}
}

// count returns how many events the last poll has brought.
func (p *poller) count() int { return p.n }

// ahead returns the stream, as index and generation, of the event that the i-th call of event from
// here will return.
func (p *poller) ahead(i int) (index, gen uint32, ok bool) {
	if i += p.next; i < p.n {
		return p.events[i].Lo, p.events[i].Hi, true
	}
	return 0, 0, false
}

// park waits until something is ready, someone wakes it, or the tick limit has come (0: never). now
// is the current tick.
func (p *poller) park(now, limit int64) {
	if limit != p.limit {
		p.limit = limit
		if limit == 0 {
			_ = p.file.SetReadDeadline(noDeadline)
		} else {
			_ = p.file.SetReadDeadline(deadlineAt((limit - now) * tickNanos))
		}
	}
	sys.EpollMod(p.gate, p.set, sys.In|sys.OneShot, 0)
	if err := p.raw.Read(p.opened); errors.Is(err, os.ErrDeadlineExceeded) {
		sys.EpollMod(p.gate, p.set, sys.OneShot, 0)
		p.limit = -1 // a passed deadline must be set anew, whatever the next one is
	}
}

// wake ends a park. Any goroutine that knows the poller to be open may call it.
func (p *poller) wake() { sys.EventfdAdd(p.wakeFD) }
