//go:build ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)) || (linux && galekqueue)

// The poller on macOS and BSD.
//
//	streams ─▶ set ─▶ parkedSets (until it fires) ─▶ the kqueue waiter's thread ─▶ wakeup
//
// A busy loop polls set, without waiting. An idle loop puts set into parkedSets and parks on a
// channel, wakeup, which the kqueue waiter sends to (kqueue_waiter.go). Go's netpoller cannot do
// that here: it registers each descriptor for input and for output (netpollopen in
// runtime/netpoll_kqueue.go), and a kqueue has no output filter, so os.NewFile leaves it unpollable.

package loop

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

// HavePoller reports whether this platform has a poller of its own, and with it loops.
const HavePoller = true

// outputStays reports whether wantOutput holds for good. Here it does not: an output filter would
// report every acknowledgement of the peer, so it is removed once it has fired.
const outputStays = false

const maxEvents = 256

type poller struct {
	set          int // every stream of the loop
	kqueueWaiter *kqueueWaiter

	wakeup chan struct{} // holds one wake-up
	armed  atomic.Bool   // set is in parkedSets, and nobody has woken its loop yet
	timer  *time.Timer   // sends to wakeup, too
	fired  atomic.Bool   // the timer has sent to it
	limit  int64         // what timer is set to, in ticks; 0 none

	events [maxEvents]sys.Kevent
	next   int
	n      int
}

// open makes the set. The poller is closed with close, once, by its last user.
func (p *poller) open() error {
	set, err := sys.KqueueCreate()
	if err != nil {
		return os.NewSyscallError("kqueue", err)
	}
	if p.kqueueWaiter, err = joinKqueueWaiter(set, p); err != nil {
		sys.KqueueClose(set)
		return err
	}
	p.set, p.wakeup = set, make(chan struct{}, 1)
	// The timer is made here because the runtime makes its own poller at the first timer, and ends
	// the process when there are no descriptors left by then.
	p.timer = time.AfterFunc(time.Hour, func() {
		p.fired.Store(true)
		p.wake()
	})
	p.timer.Stop()
	return nil
}

func (p *poller) close() {
	p.timer.Stop()
	p.kqueueWaiter.leave(p.set)
	sys.KqueueClose(p.set)
	p.set = -1
}

func (p *poller) change(fd, filter, what int, token uint64) error {
	if e := sys.KqueueChange(p.set, fd, filter, what, token); e != 0 {
		return os.NewSyscallError("kevent", e)
	}
	return nil
}

// add registers fd for edges of input and hang-up.
func (p *poller) add(fd int, token uint64) error {
	return p.change(fd, sys.Input, sys.Add|sys.Clear, token)
}

// addAccept registers a listening socket, which is reported as long as connections are queued.
func (p *poller) addAccept(fd int, token uint64) error {
	return p.change(fd, sys.Input, sys.Add, token)
}

// wantOutput makes output be reported, once. Any goroutine that knows fd and the poller to be open
// may call it.
func (p *poller) wantOutput(fd int, token uint64) error {
	return p.change(fd, sys.Output, sys.Add|sys.Once, token)
}

// move gives fd another token; output says that wantOutput may have been called for it.
func (p *poller) move(fd int, token uint64, output bool) error {
	if err := p.add(fd, token); err != nil || !output {
		return err
	}
	return p.wantOutput(fd, token)
}

// remove takes an open fd out of the set. Any goroutine that knows both to be open may call it.
func (p *poller) remove(fd int) {
	_ = p.change(fd, sys.Input, sys.Delete, 0)
	_ = p.change(fd, sys.Output, sys.Delete, 0) // which may not be there
}

// pauseAccept and resumeAccept turn a listening socket's events off and on.
func (p *poller) pauseAccept(fd int, token uint64) {
	_ = p.change(fd, sys.Input, sys.Disable, token)
}

func (p *poller) resumeAccept(fd int, token uint64) {
	_ = p.change(fd, sys.Input, sys.Enable, token)
}

// poll fetches what is ready, most events at most and without waiting, and reports whether there is
// any.
func (p *poller) poll(most int) bool {
	n, e := sys.KqueueWait(p.set, p.events[:most])
	if e != 0 {
		n = 0
	}
	p.next, p.n = 0, n
	return n > 0
}

// event returns the next event fetched by poll.
func (p *poller) event() (index, gen, bits uint32, ok bool) {
	if p.next == p.n {
		return 0, 0, 0, false
	}
	ev := &p.events[p.next]
	p.next++
	return uint32(ev.Token()), uint32(ev.Token() >> 32), ev.Bits(), true
}

// count returns how many events the last poll has brought.
func (p *poller) count() int { return p.n }

// ahead returns the stream, as index and generation, of the event that the i-th call of event from
// here will return.
func (p *poller) ahead(i int) (index, gen uint32, ok bool) {
	if i += p.next; i < p.n {
		token := p.events[i].Token()
		return uint32(token), uint32(token >> 32), true
	}
	return 0, 0, false
}

// stray handles an event that is for no stream.
func (p *poller) stray(index, gen uint32) {}

// park waits until something is ready, someone wakes it, or the tick limit has come (0: never). now
// is the current tick. It may return spuriously: a wake-up may come late.
func (p *poller) park(now, limit int64) {
	if p.fired.Swap(false) || limit != p.limit {
		p.limit = limit
		if limit == 0 {
			p.timer.Stop()
		} else {
			p.timer.Reset(time.Duration((limit - now) * tickNanos))
		}
	}
	p.armed.Store(true)
	if !p.kqueueWaiter.arm(p.set) {
		p.armed.Store(false)
		return // the kernel is out of memory: the loop goes on polling by itself
	}
	<-p.wakeup
	if p.armed.CompareAndSwap(true, false) {
		p.kqueueWaiter.disarm(p.set) // else the first event of the busy loop would wake the kqueue waiter
	}
}

// wake ends a park. Any goroutine that knows the poller to be open may call it.
func (p *poller) wake() {
	select {
	case p.wakeup <- struct{}{}:
	default: // it has been woken already
	}
}
