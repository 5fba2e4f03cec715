// Who waits for a socket when MaxSockets are open: first come, first served. Whose turn
// had come, but whose socket turned out to be dead, goes before those who have not had
// theirs: there are two lines.
//
// A line is a linked list: whoever comes swaps the tail and links behind the old
// one, without a lock. One at a time takes off the front: who calls match while
// another is at it leaves a note and goes on, and the other looks again before it
// stops. So nobody waits for a lock, and the order is that of the swaps.
//
// No wake-up is lost. Who waits counts itself, joins, and then calls match itself; who
// gives a socket or a place back does that first and then looks whether anyone counts.
// All of these are sequentially consistent, so one of the two sees the other. And
// nobody barges in: as long as anyone counts, who comes must join.

package agent

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

type queue struct {
	waiting atomic.Int64 // who wait and have got nothing
	again   line         // who had their turn
	line    line
	matches atomic.Int64 // who wanted to match since someone began to
}

// line is some who wait, in order.
type line struct {
	tail atomic.Pointer[waiter]
	head *waiter // whose next is the front; whoever matches has it
}

// waiter is one who waits.
type waiter struct {
	next  atomic.Pointer[waiter]
	state atomic.Uint32
	fresh bool  // it wants to make a socket, if it may
	conn  *conn // what was granted: a socket, or nil and the right to make one, or to look for another origin
	gate  loop.Gate
}

const (
	waits   = iota
	granted // has got something; the gate is open, or about to be
	left    // waits no longer
)

func (q *queue) init() {
	for _, l := range [...]*line{&q.again, &q.line} {
		l.head = new(waiter)
		l.tail.Store(l.head)
	}
}

// join puts w at the end. It must count already.
func (l *line) join(w *waiter) { l.tail.Swap(w).next.Store(w) }

// front returns the first who waits, nil when there is none.
func (l *line) front() *waiter {
	for {
		w := l.head.next.Load()
		if w == nil || w.state.Load() == waits {
			return w
		}
		l.head = w
	}
}

// front returns whose turn it is, nil when nobody waits.
func (q *queue) front() *waiter {
	if w := q.again.front(); w != nil {
		return w
	}
	return q.line.front()
}

// grant gives w what it waits for, unless it has left.
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

// leave ends the waiting of w, and reports false when it has got something.
func (q *queue) leave(w *waiter) bool {
	if !w.state.CompareAndSwap(waits, left) {
		return false
	}
	q.waiting.Add(-1)
	return true
}

// match gives those who wait what there is.
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
				return // there is going to be a place: no idle socket has to go for it
			}
			place = o.reserve() // it has come just now
		}
		if !place {
			if c = o.take(); c == nil && !o.reserve() && !o.retired() {
				return
			}
		}
		if q.grant(w, c) || o.retired() {
			continue
		}
		// It left just now. The next one in the queue, or whoever comes, has it.
		if c != nil {
			o.offer(c, false)
		} else {
			o.open.Add(-1)
		}
	}
}
