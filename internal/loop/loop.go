// The loop itself: its state, and what it does between two pieces of work (fetch.go). Each turn
// polls, keeps the time, empties the inbox and, when there is nothing to do, parks.

package loop

import (
	"math"
	"runtime"
	"sync/atomic"

	"github.com/gale-http/gale/pool"
)

const (
	spinTurns = 4    // empty polls before parking
	trimTicks = 1000 // ticks between two trims of unused spares
)

// Loop is an event loop and everything that belongs to it. Its methods are for code that holds the
// loop, unless they say otherwise.
type Loop struct {
	lease          lease
	inbox          inbox
	parked         atomic.Bool
	yieldRequested atomic.Bool  // set by the watchdog each time it finds the loop busy
	refs           atomic.Int32 // users of the poller: the loop itself, and each orphan

	group *Group
	// Local holds what the role above keeps per loop. Set it before the loop has anything to do.
	Local any

	poller       poller
	selfWake     selfWake
	streams      table
	wheel        wheel
	expireStream func(*Stream)

	word        uint64       // the lease word stored when user code last began
	holder      *Worker      // the worker whose user code runs, or last ran, under the lease
	nanos       int64        // the clock when it was last read, once a turn
	polls       uint64       // number of polls so far
	marked      uint64       // polls when the streams with fetched events were last marked (Unheard)
	behind      bool         // the last poll may have left events unfetched
	yielded     int64        // when the Go scheduler last had its turn
	polledRound int64        // the last round of runtime polls that it took part in (runtimepoll.go)
	unix        atomic.Int64 // the civil time in seconds, as of the last turn
	nextUnix    int64        // when that second ends, on the loop's clock
	trimAt      int64        // tick of the next trim
	empty       int          // consecutive polls that brought nothing
	handedOff   int          // handlers handed off since the scheduler last had its turn

	runnable  queue[*Worker]           // workers whose wait is over
	later     []*Worker                // workers that gave way until the next turn
	backlog   turnQueue[job]           // streams that wait for a worker
	functions turnQueue[func(*Worker)] // of Go: likewise, but whatever the bound on handlers
	batch     int                      // limit on the events of one turn, and on each kind of backlog

	spares               *Worker
	spareCount, spareLow int
	workers, suspended   int
	maxHandlers          int // limit on handlers under way at once
	idlers               idlers
	offLoop              atomic.Int32 // handlers that run without the loop: they lost it, or were handed off
	orphans              int          // streams that the loop does not wait for when it stops: detached, taken, shared
	stopping, ended      bool

	predictor    predictor
	tally, shown [fates]uint64 // handlers by how they ran; the part of that already published
	tallies      tallies       // the published counts, for any goroutine
	guests       []guest
}

func newLoop(g *Group) (*Loop, error) {
	l := &Loop{group: g, maxHandlers: g.config.MaxWorkers}
	l.predictor.always, l.predictor.never = g.config.Dispatch == GoroutineAlways, g.config.Dispatch == InlineAlways
	l.predictor.on = l.predictor.always
	l.expireStream = l.expire
	l.keepTime()
	if g.config.Portable {
		return l, nil
	}
	l.refs.Store(1)
	if err := l.selfWake.open(); err != nil {
		return l, err
	}
	if err := l.poller.open(); err != nil {
		l.selfWake.close()
		return l, err
	}
	return l, nil
}

// Tick is the loop's time in milliseconds; in a portable group it reads the clock.
func (l *Loop) Tick() int64 {
	if l.group.config.Portable {
		return monotonic() / tickNanos
	}
	return l.nanos / tickNanos
}

// Polls returns how many times the loop has polled.
func (l *Loop) Polls() uint64 { return l.polls }

// Behind reports whether the last poll may have left events unfetched.
func (l *Loop) Behind() bool { return l.behind }

// Unix is the civil time in seconds, read once a turn.
func (l *Loop) Unix() int64 { return l.unix.Load() }

// Group returns the group that the loop belongs to.
func (l *Loop) Group() *Group { return l.group }

// Streams returns how many streams the loop has.
func (l *Loop) Streams() int { return l.streams.used }

// turn looks for news, and parks when there has been none for a while. With serve, backlog that may
// be served counts as news.
func (l *Loop) turn(serve bool) {
	shared := l.yieldIfDue()
	l.handedOff, l.backlog.quota, l.functions.quota, l.batch = 0, -1, -1, maxEvents
	if l.predictor.on {
		l.batch = maxHandedOffEvents
	}
	l.polls++
	news := l.poller.poll(l.batch)
	l.behind = l.poller.count() == l.batch
	l.keepTime()
	if shared {
		l.yielded = l.nanos
	}
	if !l.inbox.empty() {
		l.run(l.inbox.take())
		news = true
	}
	for _, w := range l.later {
		l.runnable.push(w)
		news = true
	}
	l.later = l.later[:0]
	l.publish()
	switch {
	case news || l.runnable.len() > 0,
		l.functions.len() > 0 || serve && l.backlog.len() > 0: // perhaps only since keepTime
		l.empty = 0
	case l.empty < spinTurns:
		l.empty++
		runtime.Gosched()
	default:
		l.park()
	}
}

func (l *Loop) keepTime() {
	l.nanos = monotonic()
	if l.nanos >= l.nextUnix {
		unix, left := wall()
		l.unix.Store(unix)
		l.nextUnix = l.nanos + left
	}
	tick := l.Tick()
	if tick == l.wheel.tick {
		return
	}
	l.wheel.advance(tick, l.expireStream)
	if tick >= l.trimAt {
		l.trimAt = tick + trimTicks
		l.trimSpares()
		l.idlers.trim()
		l.predictor.tidy(tick)
	}
}

func (l *Loop) park() {
	l.parked.Store(true)
	if l.inbox.empty() && l.runnable.len() == 0 {
		limit := l.wheel.next()
		if (l.spareCount > 1 || l.idlers.count > 1 || l.predictor.on && !l.predictor.always) && (limit == 0 || limit > l.trimAt) {
			limit = l.trimAt
		}
		l.poller.park(l.Tick(), limit)
	}
	l.parked.Store(false)
	l.group.watchdog.wakeUp()
	l.empty = 0
	l.yielded = monotonic()
}

func (l *Loop) expire(s *Stream) {
	switch s.state {
	case atRest:
		s.task.Expire()
	case running, taken, detached:
		if watcher, ok := s.task.(Watcher); !s.expireWait() && ok {
			if ms := watcher.Overdue(); ms > 0 {
				l.wheel.set(s, l.Tick()+ms)
			}
		}
	case shared:
		s.task.Expire()
	}
}

// Go runs fn on a worker of the loop, in a portable group on a goroutine. fn is our own code: it
// holds the loop whenever it runs, so it must never block except in the waits of this package. Any
// goroutine may call Go; it reports false when the loop has ended.
func (l *Loop) Go(fn func(*Worker)) bool {
	if l.group.config.Portable {
		return l.Goroutine(fn)
	}
	return l.Post(func(l *Loop) { l.functions.push(fn) })
}

// Post makes the loop call fn soon, with the loop held. Any goroutine may call it. It reports
// false, and fn is never called, when the loop has ended, and in a portable group, whose loops do
// not run. There is no back pressure: posts are bounded by the descriptors and orphans that they
// are about.
func (l *Loop) Post(fn func(*Loop)) bool {
	m := messages.Get().(*message)
	m.run = fn
	if l.post(m) {
		return true
	}
	m.recycle()
	return false
}

// post hands m over to the loop, unless that has ended; then it reports false.
func (l *Loop) post(m *message) bool {
	if !l.acquire() {
		return false
	}
	defer l.release()
	if !l.inbox.push(m) {
		return false
	}
	if l.parked.Load() && l.parked.CompareAndSwap(true, false) {
		l.poller.wake() // a poster that finds parked already cleared relies on this wake-up
	}
	return true
}

// Ended reports whether the loop has ended, and nothing is left of it. It is for loops with a poller;
// any goroutine may call it.
func (l *Loop) Ended() bool { return l.refs.Load() == 0 }

func (l *Loop) acquire() bool {
	for {
		n := l.refs.Load()
		if n == 0 {
			return false
		}
		if l.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *Loop) release() {
	if l.refs.Add(-1) == 0 {
		l.poller.close()
		l.selfWake.close()
	}
}

// stop closes every stream: those at rest at once, the others through their owners.
func (l *Loop) stop() {
	l.stopping = true
	l.maxHandlers = math.MaxInt // the backlog must be emptied, and no handler that counts may ever end
	l.EachAtRest(Task.Stop)
	for i := range l.streams.made {
		switch s := l.streams.at(i).stream; {
		case s == nil || s.state == atRest:
		case s.state == taken, s.Kill():
			s.task.Stop()
		default:
			s.Fail()
		}
	}
}

// EachAtRest calls do for the task of each stream at rest. The loop must be held.
func (l *Loop) EachAtRest(do func(Task)) {
	for i := uint32(0); i < l.streams.made; i++ {
		if s := l.streams.at(i).stream; s != nil && s.state == atRest {
			do(s.task)
		}
	}
}

// finished reports whether the loop is stopping and has nothing left to do, for good. What orphans
// still hold, they release themselves.
func (l *Loop) finished() bool {
	if !l.ended && l.stopping && l.idle() {
		l.run(l.inbox.seal()) // from here on nothing can be posted
		l.ended = l.idle()
	}
	return l.ended
}

// idle reports whether the loop has nothing to run and nothing to wait for.
func (l *Loop) idle() bool {
	return l.streams.used == l.orphans && l.suspended == 0 && l.runnable.len() == 0 &&
		l.backlog.len() == 0 && l.functions.len() == 0
}

func (l *Loop) run(m *message) {
	for m != nil {
		next, s := m.next, m.stream
		if s != nil {
			if m.timed {
				l.noteHandedOff(m.key, m.took, m.gaveUp)
			}
			switch {
			case s.state == shared:
				s.unshare()
			case s.state == detached:
				l.orphans--
				s.state = running
			case s.state == running && s.owned: // by a goroutine, while its worker waits for something else
			case pool.Debug:
				panic("gale: a stream was given back that nobody had: twice, perhaps")
			}
			m.then(s.task)
		} else {
			m.run(l)
		}
		m.recycle()
		m = next
	}
}
