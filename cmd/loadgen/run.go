// A run: the group of loops, the connections on it, and its end. To end the run, end is set
// to the present; connections check it before every batch, and requests under way are then
// given a grace period.

package main

import (
	"context"
	"crypto/tls"
	"math"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// grace is how long after the end of the run answers to requests under way may take.
const grace = time.Second

// run is shared by all connections. After it has been set up only its atomics change.
type run struct {
	base       time.Time
	begun      int64
	addr       sys.Addr
	tls        *tls.Config // nil: plain
	method     bytesparse.Method
	classes    []class
	depth      int
	per        int
	paced      bool // requests are due at fixed instants
	waitMillis int32
	portable   bool

	end      atomic.Int64 // when sending stops, on the run's clock
	alive    atomic.Int64 // connections that have not left
	hopeless atomic.Int64 // those of them that have had too many fruitless connections in a row
	noLinger atomic.Bool  // the server leaves closing to us
	isCut    atomic.Bool
	unready  atomic.Int64  // at a rate: connections that have not yet tried to stand ready
	ready    chan struct{} // closed when all of them have
	opened   chan struct{} // closed when requests begin to be due
	closed   chan struct{} // closed when no more are
	over     chan struct{} // closed when the last connection leaves
	died     chan struct{} // receives a value when all connections are hopeless

	group  *loop.Group
	shards []*shard
	conns  []*conn
}

// ending is why a run ended.
type ending string

const (
	endDuration    ending = "duration"
	endRequests    ending = "requests"
	endDied        ending = "target died"
	endInterrupted ending = "interrupted"
)

// newRun makes the loops. Nothing is sent before start.
func newRun(p *plan) (*run, error) {
	r := &run{
		base:       time.Now(),
		addr:       p.addr,
		tls:        p.tls,
		method:     p.method(),
		classes:    p.classes,
		depth:      p.depth,
		per:        p.per,
		paced:      p.rate > 0,
		waitMillis: p.waitMillis(),
		ready:      make(chan struct{}),
		opened:     make(chan struct{}),
		closed:     make(chan struct{}),
		over:       make(chan struct{}),
		died:       make(chan struct{}, 1),
	}
	perLoop := (p.connections + p.loops - 1) / p.loops
	group, err := loop.NewGroup(loop.Config{Loops: p.loops, MaxWorkers: perLoop + 1, Portable: p.portable})
	if err != nil {
		return nil, err
	}
	r.group, r.portable = group, group.Portable()
	for i := range p.loops {
		r.shards = append(r.shards, newShard(p.share(i, p.loops), p.classes, r.portable))
	}
	r.end.Store(math.MaxInt64)
	r.alive.Store(int64(p.connections))
	r.unready.Store(int64(p.connections))
	for i := range p.connections {
		r.conns = append(r.conns, &conn{run: r, shard: r.shards[i%p.loops]})
	}
	if r.paced {
		if err := r.setPace(p.rate); err != nil {
			group.Stop()
			return nil, err
		}
	}
	return r, nil
}

// clock returns the run's time in nanoseconds. It reads the system's monotonic clock once.
func (r *run) clock() int64 { return int64(time.Since(r.base)) }

// start starts the connections, for duration or, when that is 0, until there is nothing left
// to send. At a rate it returns once the connections stand ready, and the first request is
// due then.
func (r *run) start(ctx context.Context, duration time.Duration) {
	r.begun = r.clock()
	if duration > 0 && !r.paced {
		r.end.Store(r.begun + int64(duration))
	}
	r.group.Start()
	loops := r.group.Loops()
	for i, c := range r.conns {
		loops[i%len(loops)].Go(c.live)
	}
	if !r.paced {
		return
	}
	if r.standsReady() {
		select {
		case <-r.ready:
		case <-r.over:
		case <-ctx.Done():
		}
	}
	r.begun = r.clock()
	if duration > 0 {
		r.end.Store(r.begun + int64(duration))
	}
	r.openPace()
}

// standsReady reports whether connections are made before there are requests for them.
func (r *run) standsReady() bool { return r.paced && r.per == 0 }

// stood is called by a connection that stands ready, or has failed to.
func (r *run) stood(c *conn) {
	if !c.stood && r.unready.Add(-1) == 0 {
		close(r.ready)
	}
	c.stood = true
}

// wait returns when the run is over: its time has passed, every connection has left, the
// target has died, or ctx has ended. In the meantime it calls tick, if that is not nil,
// every tickEvery.
func (r *run) wait(ctx context.Context, tick func()) ending {
	timer := time.NewTimer(time.Duration(r.end.Load() - r.clock()))
	defer timer.Stop()
	var ticks <-chan time.Time
	if tick != nil {
		ticker := time.NewTicker(tickEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case <-r.over:
			if r.clock() >= r.end.Load() {
				return endDuration
			}
			return endRequests
		case <-r.died:
			r.stop()
			return endDied
		case <-timer.C:
			return endDuration
		case <-ctx.Done():
			r.stop()
			return endInterrupted
		case <-ticks:
			tick()
		}
	}
}

// stop ends the run now, unless it has ended already.
func (r *run) stop() { r.end.Store(min(r.clock(), r.end.Load())) }

// finish gives requests under way the grace period, then cuts them off. Afterwards the
// shards are at rest.
func (r *run) finish() {
	r.closePace()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-r.over:
	case <-timer.C:
	}
	r.isCut.Store(true)
	if r.portable {
		for _, c := range r.conns {
			c.cut()
		}
	}
	r.group.Stop()
	r.stopAlarms()
}

// leave is the last thing a connection does.
func (r *run) leave(hopeless bool) {
	if hopeless {
		r.hopeless.Add(-1)
	}
	if r.alive.Add(-1) == 0 {
		close(r.over)
		return
	}
	r.look()
}

// lose is called by a connection that has become hopeless.
func (r *run) lose() {
	r.hopeless.Add(1)
	r.look()
}

// look reports to wait when all remaining connections are hopeless.
func (r *run) look() {
	if r.hopeless.Load() < r.alive.Load() {
		return
	}
	select {
	case r.died <- struct{}{}:
	default:
	}
}

// seen returns the numbers of answers and errors so far.
func (r *run) seen() (answers, errors int64) {
	for _, s := range r.shards {
		answers += s.seenAnswers.Load()
		errors += s.seenErrors.Load()
	}
	return answers, errors
}
