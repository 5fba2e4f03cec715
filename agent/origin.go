// Origins: one for each combination of server and route, with a count of its sockets (seed:
// the keys of agent.sockets).

package agent

import (
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

// origin is a server as one agent reaches it.
type origin struct {
	run  *running
	site site
	name string
	max  int64 // sockets; 0: no bound

	sessions tls.ClientSessionCache // nil: plain

	// open counts sockets: those that exist, are being made, or are promised to a call in
	// the queue. It is gone or below once the origin has been retired.
	open    atomic.Int64
	pledges atomic.Int64 // sockets about to be closed whose places are promised to queued calls
	queue   queue
	shelf   shelf

	mu    sync.Mutex // guards conns and lanes; a kept socket's request takes it only to move the socket to another loop
	conns map[*conn]struct{}
	lanes atomic.Pointer[[]*lane] // the list is replaced, never changed
}

const gone = -1 << 40

// retired reports whether the origin is no longer in use, so that the site must be looked up
// again.
func (o *origin) retired() bool { return o == nil || o.open.Load() < 0 }

// retire ends the origin if it has no socket and no queued call. A call that joins the queue
// at the same moment is woken: it counts itself before it checks whether the origin is
// retired, and retire marks the origin before it calls match, which checks that count.
func (o *origin) retire() bool {
	if o.queue.waiting.Load() > 0 || !o.open.CompareAndSwap(0, gone) {
		return false
	}
	o.match()
	return true
}

// reserve counts a socket that is going to be made, if another one is allowed.
func (o *origin) reserve() bool {
	for {
		n := o.open.Load()
		if n < 0 || o.max > 0 && n >= o.max {
			return false
		}
		if o.open.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// unreserve undoes reserve, or counts a socket that was closed.
func (o *origin) unreserve() {
	o.open.Add(-1)
	o.match()
}

// opened records a new socket.
func (o *origin) opened(c *conn) {
	o.mu.Lock()
	if o.conns == nil {
		o.conns = make(map[*conn]struct{})
	}
	o.conns[c] = struct{}{}
	o.mu.Unlock()
}

// closed records that a socket was closed.
func (o *origin) closed(c *conn) {
	c.lasting.end()
	o.forget(c)
	if !c.detached.Load() {
		o.open.Add(-1)
	}
	if c.pledged {
		o.pledges.Add(-1) // after its place was given back: a call waiting for the place sees either
	}
	o.match()
}

// inherit records that a socket has moved from one conn to another, in one step for whoever
// counts sockets.
func (o *origin) inherit(from, successor *conn) {
	o.mu.Lock()
	delete(o.conns, from)
	o.conns[successor] = struct{}{}
	o.mu.Unlock()
}

func (o *origin) forget(c *conn) {
	o.mu.Lock()
	delete(o.conns, c)
	o.mu.Unlock()
}

// detach takes c out of the agent, unless that has been done before.
func (o *origin) detach(c *conn) {
	if c.detached.Swap(true) {
		return
	}
	o.forget(c)
	o.unreserve()
}

// local reports whether idle sockets may rest on their loop's lane, where only callers on that
// loop find them. With a bound on sockets, or while calls are queued, they may not: a call
// on another loop would starve.
func (o *origin) local() bool {
	return o.max == 0 && o.run.keepAlive && o.queue.waiting.Load() == 0
}

// crowded reports whether no more sockets may be kept.
func (o *origin) crowded() bool {
	limit := o.run.maxFree
	if o.open.Load() <= int64(limit) {
		return false
	}
	return o.free() >= limit
}

// free counts the idle sockets.
func (o *origin) free() int {
	n := int(o.shelf.held.Load())
	for _, l := range o.allLanes() {
		n += int(l.count.Load())
	}
	return n
}

// destroy closes all sockets.
func (o *origin) destroy() {
	o.mu.Lock()
	conns := make([]*conn, 0, len(o.conns))
	for c := range o.conns {
		conns = append(conns, c)
	}
	o.mu.Unlock()
	for _, c := range conns {
		c.destroy()
	}
}

// closeFree closes the idle sockets.
func (o *origin) closeFree() {
	for c := o.take(); c != nil; c = o.take() {
		c.discard()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.conns {
		if c.free.Load() && !c.Portable() {
			// A socket that is on its way back to its loop arrives there first.
			c.Stream.Loop().Post(func(*loop.Loop) { c.closeIdle() })
		}
	}
}

// table maps sites to origins.
type table struct {
	mu   sync.RWMutex
	all  map[key]*origin
	next int // size at which the next sweep is due
}

// sessionsKept is how many TLS sessions are cached per origin, all of them for one server.
const sessionsKept = 4

// minSweep is the number of origins from which on unused ones are swept.
const minSweep = 256

// get returns the origin of a site.
func (t *table) get(r *running, s *site) *origin {
	k := s.key()
	t.mu.RLock()
	o := t.all[k]
	t.mu.RUnlock()
	if !o.retired() {
		return o
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if o := t.all[k]; !o.retired() {
		return o
	}
	if t.all == nil {
		t.all, t.next = make(map[key]*origin), minSweep
	}
	if len(t.all) >= t.next {
		t.sweep()
	}
	o = &origin{run: r, site: *s, name: s.name(), max: int64(max(0, r.agent.MaxSockets))}
	if s.secure {
		o.sessions = tls.NewLRUClientSessionCache(sessionsKept)
	}
	o.queue.init()
	t.all[k] = o
	return o
}

// sweep retires the origins that have no socket and no queued call.
func (t *table) sweep() {
	for k, o := range t.all {
		if o.retire() {
			delete(t.all, k)
		}
	}
	t.next = max(minSweep, 2*len(t.all))
}

// each calls do for every origin.
func (t *table) each(do func(*origin)) {
	t.mu.RLock()
	all := make([]*origin, 0, len(t.all))
	for _, o := range t.all {
		all = append(all, o)
	}
	t.mu.RUnlock()
	for _, o := range all {
		do(o)
	}
}

// lane holds the sockets of one origin at rest on one loop. They are taken last in, first
// out, but those that came since the loop's last poll only if there is no other: the loop
// does not yet know of events on them. The lane belongs to the loop, except for count.
type lane struct {
	origin *origin
	loop   *loop.Loop
	first  *conn
	ripe   *conn  // the first socket that was there at the loop's last poll; valid while latest is the current poll
	latest uint64 // the loop's poll count when the last socket came
	count  atomic.Int32
}

// local is what an agent stores with a loop.
type local struct {
	last  *lane
	lanes map[*origin]*lane
}

func newLocal() any { return &local{lanes: make(map[*origin]*lane)} }

// allLanes returns the origin's lanes on all loops.
func (o *origin) allLanes() []*lane {
	if lanes := o.lanes.Load(); lanes != nil {
		return *lanes
	}
	return nil
}

// dismiss removes what the agent has stored with its origin's loops.
func (o *origin) dismiss() {
	for _, n := range o.allLanes() {
		n.loop.Post(func(l *loop.Loop) { l.Dismiss(o.run) })
	}
}

// laneOf returns the origin's lane on the loop, which must be held.
func (o *origin) laneOf(l *loop.Loop) *lane {
	here := l.Guest(o.run, newLocal).(*local)
	if here.last != nil && here.last.origin == o {
		return here.last
	}
	n := here.lanes[o]
	if n == nil {
		for other := range here.lanes {
			if other.retired() {
				delete(here.lanes, other)
			}
		}
		n = &lane{origin: o, loop: l}
		here.lanes[o] = n
		o.mu.Lock()
		// Those of loops that have ended would keep all that a closed server had.
		lanes := slices.DeleteFunc(slices.Clone(o.allLanes()), func(old *lane) bool { return old.loop.Ended() })
		lanes = append(lanes, n)
		o.lanes.Store(&lanes)
		o.mu.Unlock()
	}
	here.last = n
	return n
}

func (n *lane) push(c *conn) {
	if now := n.loop.Polls(); n.latest != now {
		n.latest, n.ripe = now, n.first
	}
	c.lane, c.prev, c.next = n, nil, n.first
	if n.first != nil {
		n.first.prev = c
	}
	n.first = c
	n.count.Store(n.count.Load() + 1)
}

// next returns the socket to take, nil when there is none. It is ripe if the loop has polled
// since it came; otherwise only the kernel knows whether there has been an event on it.
func (n *lane) next() (c *conn, ripe bool) {
	switch {
	case n.loop.Behind():
		return n.first, false
	case n.latest != n.loop.Polls():
		return n.first, true
	case n.ripe != nil:
		return n.ripe, true
	}
	return n.first, false
}

// take makes the next socket an own stream of w, which holds the loop; it returns nil when
// there is none. quiet reports that no input had arrived by the loop's last poll; without it,
// only the kernel knows.
func (n *lane) take(w *loop.Worker) (c *conn, quiet bool) {
	c, ripe := n.next()
	if c == nil {
		return nil, false
	}
	quiet = ripe && !c.Unheard() && !c.Partial()
	n.remove(c)
	c.Take(w)
	return c, quiet
}

func (n *lane) remove(c *conn) {
	if n.ripe == c {
		n.ripe = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		n.first = c.next
	}
	c.lane, c.next, c.prev = nil, nil, nil
	n.count.Store(n.count.Load() - 1)
}
