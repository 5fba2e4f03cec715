// Origins: one for each server and way to it, with the count of its sockets (seed: the
// keys of agent.sockets).

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

	// open counts sockets: those that are, are being made, and are promised to someone
	// who waits. gone, and below, once the origin was retired.
	open    atomic.Int64
	pledges atomic.Int64 // sockets about to be closed whose places are somebody's who waits already
	queue   queue
	shelf   shelf

	mu    sync.Mutex // guards conns and lanes; nothing of a request on a kept socket takes it
	conns map[*conn]struct{}
	lanes atomic.Pointer[[]*lane] // a list that is never changed, only replaced
}

const gone = -1 << 40

// retired tells whether the origin is none any more, so that its name must be looked
// up again.
func (o *origin) retired() bool { return o == nil || o.open.Load() < 0 }

// retire ends the origin if it has no socket and nobody who waits. Who begins to wait
// just then is woken: the queue counts it before it looks whether the origin is
// retired, and here it is the other way round.
func (o *origin) retire() bool {
	if o.queue.waiting.Load() > 0 || !o.open.CompareAndSwap(0, gone) {
		return false
	}
	o.match()
	return true
}

// reserve counts a socket that is going to be made, if there may be one more.
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

// unreserve takes back what reserve did, or counts a socket that was closed.
func (o *origin) unreserve() {
	o.open.Add(-1)
	o.match()
}

// opened notes a socket that was made.
func (o *origin) opened(c *conn) {
	o.mu.Lock()
	if o.conns == nil {
		o.conns = make(map[*conn]struct{})
	}
	o.conns[c] = struct{}{}
	o.mu.Unlock()
}

// closed notes that a socket was closed.
func (o *origin) closed(c *conn) {
	c.lasting.end()
	o.forget(c)
	if !c.detached.Load() {
		o.open.Add(-1)
	}
	if c.pledged {
		o.pledges.Add(-1) // after its place was given back: who waits for that sees either
	}
	o.match()
}

// inherit notes that a socket has moved from one conn to another, at once for whoever
// counts.
func (o *origin) inherit(from, heir *conn) {
	o.mu.Lock()
	delete(o.conns, from)
	o.conns[heir] = struct{}{}
	o.mu.Unlock()
}

func (o *origin) forget(c *conn) {
	o.mu.Lock()
	delete(o.conns, c)
	o.mu.Unlock()
}

// detach makes c no socket of the agent's any more, and reports whether it was one.
func (o *origin) detach(c *conn) bool {
	if c.detached.Swap(true) {
		return false
	}
	o.forget(c)
	o.unreserve()
	return true
}

// local tells whether sockets that nobody uses may rest with their loop, where only
// that finds them. With a bound on sockets, or while someone waits, they may not: a
// caller would starve beside them.
func (o *origin) local() bool {
	return o.max == 0 && o.run.keepAlive && o.queue.waiting.Load() == 0
}

// crowded tells whether no more sockets may be kept.
func (o *origin) crowded() bool {
	limit := o.run.maxFree
	if o.open.Load() <= int64(limit) {
		return false
	}
	return o.free() >= limit
}

// free counts the sockets that nobody uses.
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

// closeFree closes the sockets that nobody uses.
func (o *origin) closeFree() {
	for c := o.take(); c != nil; c = o.take() {
		c.discard()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.conns {
		if c.free.Load() && !c.Portable() {
			c.Stream.Loop().Post(func(*loop.Loop) {
				if !c.Closed() && c.Resting() {
					c.Stop()
				}
			})
		}
	}
}

// table finds the origins of sites.
type table struct {
	mu   sync.RWMutex
	all  map[key]*origin
	next int // size at which the next sweep is due
}

// sessionsKept is how many TLS sessions an origin has: they are of one server.
const sessionsKept = 4

// minSweep is how many origins there are before unused ones are looked for.
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

// sweep retires the origins that have no socket and nobody who waits.
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

// lane is the sockets of one origin at rest on one loop: the last that came goes
// first, unless it came since the loop has last polled, and would not know if anything
// had happened on it since. It is the loop's, but for count.
type lane struct {
	origin *origin
	loop   *loop.Loop
	first  *conn
	ripe   *conn  // the first that was there when the loop has polled last, as long as latest is the same
	latest uint64 // how often the loop had polled when the last one came
	count  atomic.Int32
}

// local is what an agent keeps with a loop.
type local struct {
	last  *lane
	lanes map[*origin]*lane
}

func newLocal() any { return &local{lanes: make(map[*origin]*lane)} }

// allLanes returns the origin's lanes, on whatever loop.
func (o *origin) allLanes() []*lane {
	if lanes := o.lanes.Load(); lanes != nil {
		return *lanes
	}
	return nil
}

// dismiss has the loops forget what the agent keeps with them.
func (o *origin) dismiss() {
	for _, n := range o.allLanes() {
		n.loop.Post(func(l *loop.Loop) { l.Dismiss(o.run) })
	}
}

// laneOf returns the lane of the origin on the loop, which must be held.
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
		lanes := append(slices.Clone(o.allLanes()), n)
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

// next returns the socket to take, nil when there is none. It is not ripe when only the
// kernel knows what has happened on it since it came.
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

// take makes the socket that is next the own one of w, which holds the loop; nil when
// there is none. quiet tells that nothing has come in on it until the loop polled last;
// if not, only the kernel knows.
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
