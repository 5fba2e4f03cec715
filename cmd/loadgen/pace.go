// Pace: requests that are due at fixed instants, whatever becomes of earlier ones. Each loop
// has every n-th of them, for n loops. A connection that is free joins a queue; the one that
// has waited longest sends the next request when it is due. A connection that becomes free
// when a request is overdue takes that at once; its latency began when it was due.
//
// An idle loop is woken by an alarm (alarm_linux.go), which rings at most once per
// resolution: all requests due by then leave together, and the latency of each runs from its
// own instant. In a portable group connections are goroutines: each takes the next instant
// and waits for it by itself.

package main

import (
	"errors"
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/gale-http/gale/internal/loop"
)

const (
	resolution = 50 * time.Microsecond // the shortest time for which an alarm is set
	longRest   = 3600 * 1000           // milliseconds; a connection is always woken before they have passed
)

// pacer is the schedule of one loop, and the queue of connections waiting for it.
type pacer struct {
	first  float64 // when the first request is due, on the run's clock
	every  float64 // nanoseconds from one to the next
	taken  int64   // requests assigned to connections
	open   bool    // requests have begun to be due
	closed bool    // the run has ended: nobody waits any more

	front, back *conn // the queue
	behind      *hdrhistogram.Histogram
	mostBehind  int64

	alarm *alarm
	armed bool
}

// queueEntry is a connection's place in the queue.
type queueEntry struct {
	before, after *conn
	queued        bool
	dispatched    bool // it may send, and begun says since when; kept until it can
}

// setPace divides the rate among the loops.
func (r *run) setPace(rate float64) error {
	n := float64(len(r.shards))
	for i, s := range r.shards {
		s.pace = &pacer{first: float64(i) / rate * 1e9, every: n / rate * 1e9, behind: newHistogram()}
		if r.portable {
			continue
		}
		l := r.group.Loops()[i]
		call := func(*loop.Loop) { s.dispatchDue(r) }
		a, err := newAlarm(func() { l.Post(call) })
		if err != nil {
			r.stopAlarms()
			return err
		}
		s.pace.alarm = a
	}
	return nil
}

// openPace starts the schedule now.
func (r *run) openPace() {
	r.eachPace(func(s *shard) {
		s.pace.first += float64(r.begun)
		s.pace.open = true
		s.dispatchDue(r)
	})
	close(r.opened)
}

// closePace dismisses the connections that still wait.
func (r *run) closePace() {
	r.eachPace(func(s *shard) {
		s.pace.closed = true
		s.dispatchDue(r)
	})
	close(r.closed)
}

func (r *run) eachPace(do func(*shard)) {
	for i, s := range r.shards {
		switch {
		case s.pace == nil:
		case r.portable:
			s.lock()
			do(s)
			s.unlock()
		default:
			r.group.Loops()[i].Post(func(*loop.Loop) { do(s) })
		}
	}
}

func (r *run) stopAlarms() {
	for _, s := range r.shards {
		if s.pace != nil && s.pace.alarm != nil {
			s.pace.alarm.stop()
		}
	}
}

// due returns when the next request is due.
func (p *pacer) due() int64 { return int64(p.first + float64(p.taken)*p.every) }

// unsent returns how many requests were due before end and were not assigned.
func (s *shard) unsent(end int64) int64 {
	p := s.pace
	if p == nil || !p.open || s.left == 0 {
		return 0
	}
	n := max(int64(math.Ceil((float64(end)-p.first)/p.every))-p.taken, 0)
	if s.left > 0 {
		n = min(n, s.left)
	}
	return n
}

// send records that a request which was due leaves now.
func (p *pacer) send(due, now int64) {
	late := max(now-due, 0)
	p.mostBehind = max(p.mostBehind, late)
	_ = p.behind.RecordValue(min(late, slowestNanos)) // in range
}

// dispatchDue assigns the requests that are due to waiting connections, and sets the alarm for
// the next one. At the end it dismisses all connections. The loop must be held.
func (s *shard) dispatchDue(r *run) {
	p := s.pace
	p.armed = false
	if r.portable || !p.open && !p.closed {
		return
	}
	now := r.clock()
	for p.front != nil {
		due := p.due()
		ripe := due <= now && due < r.end.Load()
		over := s.left == 0 || p.closed && !ripe
		if !ripe && !over {
			break
		}
		c := p.front
		p.leave(c)
		if !over {
			s.take(1)
			p.taken++
			c.begun, c.entry.dispatched = due, true
		}
		c.stream.WakeSleeper()
	}
	p.arm(now, r.end.Load())
}

// arm sets the alarm for the next request, if there is one and a connection waits for it.
func (p *pacer) arm(now, end int64) {
	if p.front != nil && !p.armed && p.open && p.due() < end {
		p.armed = true
		p.alarm.set(max(time.Duration(p.due()-now), resolution))
	}
}

// join and leave maintain the queue.
func (p *pacer) join(c *conn) {
	c.entry = queueEntry{before: p.back, queued: true}
	if p.back != nil {
		p.back.entry.after = c
	} else {
		p.front = c
	}
	p.back = c
}

func (p *pacer) leave(c *conn) {
	if !c.entry.queued {
		return
	}
	before, after := c.entry.before, c.entry.after
	if before != nil {
		before.entry.after = after
	} else {
		p.front = after
	}
	if after != nil {
		after.entry.before = before
	} else {
		p.back = before
	}
	c.entry = queueEntry{}
}

// awaitTurn waits until a request is due and returns 1, or 0 when the run or the connection
// is over.
func (c *conn) awaitTurn(w *loop.Worker) int {
	s, r := c.shard, c.run
	if r.portable {
		return c.awaitAlone(w)
	}
	p := s.pace
	for {
		if !c.entry.dispatched {
			due := p.due()
			switch {
			case p.closed || s.left == 0:
				c.over = true
				return 0
			case p.open && due <= c.now && due < r.end.Load():
				s.take(1)
				p.taken++
				c.begun, c.entry.dispatched = due, true
			}
		}
		if c.entry.dispatched {
			c.entry.dispatched = false
			p.send(c.begun, c.now)
			return 1
		}
		p.join(c)
		p.arm(c.now, r.end.Load())
		alive := c.rest(w)
		p.leave(c)
		c.now = r.clock()
		if !alive { // a request assigned to it leaves on its next connection
			return 0
		}
	}
}

// rest waits, connected or not, until a request is dispatched to c or the run ends. It reports
// false when waiting on is pointless.
func (c *conn) rest(w *loop.Worker) bool {
	if !c.connected {
		return c.stream.Sleep(w, longRest) == nil
	}
	c.stream.ReadTimeout = 0
	err := c.stream.Doze()
	c.stream.ReadTimeout = c.run.waitMillis
	switch {
	case err != nil:
		return false
	case c.entry.dispatched && !c.stream.HungUp():
		return true
	}
	return c.quiet(c.stream.TryRead(c.buf))
}

// quiet judges what arrived while nothing was due: a server may close an idle connection,
// but has nothing to send on it.
func (c *conn) quiet(n int, err error) bool {
	if n > 0 {
		c.shard.fail(kindUnasked, nil)
	}
	return n == 0 && err == nil
}

// awaitAlone is awaitTurn for a connection that is a goroutine, to which nothing is dispatched: it
// takes the next instant and waits for it.
func (c *conn) awaitAlone(w *loop.Worker) int {
	s, r := c.shard, c.run
	p := s.pace
	if !c.entry.dispatched {
		select {
		case <-r.opened:
		case <-r.closed:
			c.over = true
			return 0
		}
		s.lock()
		due := p.due()
		early := due < r.end.Load()
		if c.over = p.closed || !early || s.take(1) == 0; !c.over {
			p.taken++
			c.begun, c.entry.dispatched = due, true
		}
		done := s.left == 0
		s.unlock()
		if !early && !done {
			<-r.closed // the run lasts until then
		}
	}
	for c.now = r.clock(); !c.over && c.now < c.begun; c.now = r.clock() {
		if c.over = c.begun >= r.end.Load(); !c.over && !c.restAlone(w, max((c.begun-c.now)/1e6, 1)) {
			return 0
		}
	}
	if c.over {
		return 0
	}
	c.entry.dispatched = false
	s.lock()
	p.send(c.begun, c.now)
	s.unlock()
	return 1
}

func (c *conn) restAlone(w *loop.Worker, ms int64) bool {
	if !c.connected {
		return c.stream.Sleep(w, ms) == nil
	}
	c.stream.ReadTimeout = int32(min(ms, longRest))
	n, err := c.stream.Read(c.buf)
	c.stream.ReadTimeout = c.run.waitMillis
	if errors.Is(err, loop.ErrTimeout) {
		err = nil
	}
	return c.quiet(n, err)
}

// giveUp is called by a connection that leaves: a request assigned to it is not sent.
func (c *conn) giveUp() {
	if c.entry.dispatched {
		c.shard.lock()
		c.shard.pace.taken--
		c.shard.unlock()
	}
}
