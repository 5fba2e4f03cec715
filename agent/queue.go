// The queue for sockets while MaxSockets are open: first come, first served. Calls that had
// their turn, but got a socket that turned out to be dead, go ahead of those that have not:
// there are two lines.
//
// A line is a linked list. A new waiter swaps the tail and links itself behind the old one,
// without a lock. Only one goroutine at a time takes waiters off the front: if match is
// called while another goroutine is in it, the caller leaves a note and goes on, and the
// other one looks again before it stops. So nobody waits for a lock, and the order is that
// of the swaps.
//
// No wake-up is lost. A waiter counts itself, joins, and then calls match; whoever gives a
// socket or a place back does that first and then checks the count. All these operations are
// sequentially consistent, so at least one side sees the other. Nobody barges in: as long as
// the count is above 0, a new call must join.

package agent

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

type queue struct {
	waiting  atomic.Int64 // waiters that have been granted nothing yet
	rejoined line         // waiters that have had their turn before
	line     line
	matches  atomic.Int64 // calls of match since the running one began
}

// line is a list of waiters, in order.
type line struct {
	tail atomic.Pointer[waiter]
	head *waiter // the one before the front; belongs to whoever runs match
}

// waiter is a waiting call.
type waiter struct {
	next  atomic.Pointer[waiter]
	state atomic.Uint32
	fresh bool  // it prefers to make a new socket
	conn  *conn // what was granted: a socket, or nil for the right to make one or, after retirement, to resolve again
	gate  loop.Gate
}

const (
	waits   = iota
	granted // it has been granted something; the gate is open, or about to be
	left    // it no longer waits
)

func (q *queue) init() {
	for _, l := range [...]*line{&q.rejoined, &q.line} {
		l.head = new(waiter)
		l.tail.Store(l.head)
	}
}

// join appends w, which must have been counted already.
func (l *line) join(w *waiter) { l.tail.Swap(w).next.Store(w) }

// front returns the first waiter, nil when there is none.
func (l *line) front() *waiter {
	for {
		w := l.head.next.Load()
		if w == nil || w.state.Load() == waits {
			return w
		}
		l.head = w
	}
}

// front returns the waiter whose turn it is, nil when there is none.
func (q *queue) front() *waiter {
	if w := q.rejoined.front(); w != nil {
		return w
	}
	return q.line.front()
}

// grant gives c, or the right to make a socket, to w, unless w has left.
func (q *queue) grant(w *waiter, c *conn) bool {
	w.conn = c
	if !w.state.CompareAndSwap(waits, granted) {
		w.conn = nil
		return false
	}
	q.waiting.Add(-1)
	w.gate.Open()
	return true
}

// leave ends the waiting of w; it reports false when w has been granted something.
func (q *queue) leave(w *waiter) bool {
	if !w.state.CompareAndSwap(waits, left) {
		return false
	}
	q.waiting.Add(-1)
	return true
}

// match grants what is available to the waiters.
func (o *origin) match() {
	q := &o.queue
	if q.waiting.Load() == 0 || q.matches.Add(1) > 1 {
		return
	}
	for {
		n := q.matches.Load()
		o.matchAll()
		if q.matches.CompareAndSwap(n, 0) {
			return
		}
	}
}

func (o *origin) matchAll() {
	q := &o.queue
	for {
		w := q.front()
		if w == nil {
			return
		}
		var c *conn
		place := w.fresh && o.reserve()
		if w.fresh && !place {
			if o.pledges.Load() > 0 {
				return // a place is about to come free: no idle socket needs to be closed for it
			}
			place = o.reserve() // the place came free just now
		}
		if !place {
			if c = o.take(); c == nil && !o.reserve() && !o.retired() {
				return
			}
		}
		if q.grant(w, c) || o.retired() {
			continue
		}
		// It left just now. The next waiter, or the next call, gets what it would have got.
		if c != nil {
			o.offer(c, false)
		} else {
			o.open.Add(-1)
		}
	}
}
