// A run: the group of loops, the connections on it, and what ends it. Whoever
// wants the run to end moves end to the present; connections look at it before
// every batch, and what they have under way then gets a last chance.

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

// grace is how long answers under way at the end of the run may take.
const grace = time.Second

// run is shared by all connections: set up first, then only read, but for the
// atomics.
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

	end      atomic.Int64 // when no more is sent, on the run's clock
	alive    atomic.Int64 // connections that have not left
	hopeless atomic.Int64 // of those, the ones that one connection after the other has failed
	noLinger atomic.Bool  // the server leaves it to us to close
	isCut    atomic.Bool
	unready  atomic.Int64  // connections that have not tried to stand ready, at a rate
	ready    chan struct{} // closed when they all have
	opened   chan struct{} // closed when requests begin to be due
	closed   chan struct{} // closed when no more are
	over     chan struct{} // closed when the last connection leaves
	died     chan struct{} // takes a value when all connections are hopeless

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

// clock is the run's time in nanoseconds. It costs one reading of the system's
// monotonic clock.
func (r *run) clock() int64 { return int64(time.Since(r.base)) }

// start sets the connections going, for duration or, when that is 0, until there
// is nothing left to send. At a rate it returns when the connections stand ready, and
// the first request is due then.
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

// standsReady tells whether connections are made before there is a request for them.
func (r *run) standsReady() bool { return r.paced && r.per == 0 }

// stood is called by a connection that stands ready, or has failed to.
func (r *run) stood(c *conn) {
	if !c.stood && r.unready.Add(-1) == 0 {
		close(r.ready)
	}
	c.stood = true
}

// wait returns when the run is over: its time has passed, every connection
// has left, the target has died, or ctx ended. tick, if any, is called now and
// then meanwhile.
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

// stop has the run end now, at the latest.
func (r *run) stop() { r.end.Store(min(r.clock(), r.end.Load())) }

// finish gives what is under way its last chance, then cuts it off. Afterwards
// the shards are at rest.
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

// look tells wait when nobody is left who has hope.
func (r *run) look() {
	if r.hopeless.Load() < r.alive.Load() {
		return
	}
	select {
	case r.died <- struct{}{}:
	default:
	}
}

// seen is how many answers and errors there have been so far.
func (r *run) seen() (answers, errors int64) {
	for _, s := range r.shards {
		answers += s.seenAnswers.Load()
		errors += s.seenErrors.Load()
	}
	return answers, errors
}
