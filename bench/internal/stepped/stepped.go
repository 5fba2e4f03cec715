// Package stepped measures user-mode instructions per request of a running server by
// stepping through a small number of requests.
//
// A stepped server is a thousand times slower than its clients, so it must not be
// measured under load: it would always find the next request waiting, and never have to
// wait itself, which is the greatest cost of servers with a goroutine for each connection.
// Instead it gets bursts, from rest to rest: a few requests at once, then more, and the
// figure is the cost of each additional request. Waking up and going to sleep, which a
// busy server does not do, cancel out; waiting for a connection's next request does not.
package stepped

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gale-http/gale/bench/internal/load"
	"github.com/gale-http/gale/bench/internal/steps"
	"github.com/gale-http/gale/bench/internal/work"
)

// Env must be in the environment of a program that will be stepped through. It affects Go
// programs. Goroutines that have run for too long, as all seem to when stepped, are not
// preempted by signals; and there is no garbage collection, whose whole cost would fall on
// very few requests, or on none.
var Env = []string{"GODEBUG=asyncpreemptoff=1", "GOGC=off"}

// Plan says what to step through.
type Plan struct {
	PID      int
	Addr     string
	Workload *work.Workload
	Conns    int // connections, each with a batch of requests in the larger burst
	Few      int // connections in the smaller burst; 0: none, so that waking up counts or, for batches, a single request
	Pairs    int // minimum number of pairs of bursts to count
	Warm     int // requests at full speed before
	Profile  bool
}

// Servers that spend little on a request get more pairs than Pairs: for them it matters more
// into how many pieces their poller happens to cut a burst.
const (
	enough    = 200_000 // instructions in all
	mostPairs = 7
)

// Figure is the outcome.
type Figure struct {
	PerRequest float64 // user-mode instructions of the whole process per request, the median of the bursts
	Lowest     float64 // of the bursts
	Highest    float64
	Requests   int           // number of requests counted
	Steps      uint64        // instructions in them
	Elapsed    time.Duration // time it took to step through them
	Profile    []Share       // by function, the largest first; if it was asked for
}

// Measure warms the server up, attaches to it, and counts what it executes in each of
// several pairs of bursts, from rest to rest. The figure is the median: what the process does
// of its own accord falls into one pair but not the others.
func Measure(ctx context.Context, p Plan) (Figure, error) {
	asks, end, err := p.warm(ctx)
	if err != nil {
		return Figure{}, err
	}
	defer end()
	_, notGo := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", p.PID))
	counter, err := steps.Attach(p.PID, steps.Options{HoldSleepers: notGo == nil, SlowClock: true})
	if err != nil {
		return Figure{}, err
	}
	var profiles bursts
	if p.Profile {
		profiles.few, profiles.many = steps.Profile{}, steps.Profile{}
	}
	f, err := p.count(ctx, counter, asks, &profiles)
	_, detachErr := counter.Detach()
	if err = errors.Join(err, detachErr); err == nil && p.Profile {
		f.Profile, err = shares(p.PID, profiles.many, profiles.few, profiles.more)
	}
	return f, err
}

// bursts has the profiles of all smaller bursts and of all larger ones, and how many more
// requests the larger ones had. Profiles that are nil stay nil.
type bursts struct {
	few, many steps.Profile
	more      int
}

// asker makes requests to the server, all at once.
type asker struct {
	one   func() error
	burst func(conns int) (requests int, err error)
}

// warm makes requests until the server has what it keeps: buffers, goroutines.
func (p *Plan) warm(ctx context.Context) (asks asker, end func(), err error) {
	w := p.Workload
	if w.Per > 0 {
		asks.burst = func(n int) (int, error) { return load.Fresh(ctx, w, p.Addr, n) }
		asks.one = func() error { _, err := asks.burst(1); return err }
		for done := 0; done < p.Warm; {
			n, err := asks.burst(p.Conns)
			if err != nil {
				return asks, nil, fmt.Errorf("warm-up: %w", err)
			}
			done += n
		}
		return asks, func() {}, nil
	}
	client, err := load.Dial(w, p.Addr, p.Conns)
	if err != nil {
		return asks, nil, err
	}
	if err := client.Run(ctx, load.Until(p.Warm)); err != nil {
		client.Close()
		return asks, nil, fmt.Errorf("warm-up: %w", err)
	}
	asks.burst = func(n int) (int, error) { return client.Burst(ctx, n) }
	asks.one = func() error { return client.One(ctx) }
	return asks, client.Close, nil
}

// count counts pairs of bursts. It makes one request first, so that whatever the first
// request after a long rest wakes up is already awake, or held.
func (p *Plan) count(ctx context.Context, counter *steps.Counter, asks asker, profiles *bursts) (f Figure, err error) {
	counter.HoldMonitor()
	if _, err := rest(ctx, counter, func() (int, error) { return 0, asks.one() }); err != nil {
		return f, err
	}
	start := time.Now()
	var counts []float64
	for len(counts) < p.Pairs || f.Steps < enough && len(counts) < mostPairs {
		counter.CountIn(profiles.few)
		few, err := rest(ctx, counter, func() (int, error) { return p.few(asks) })
		if err != nil {
			return f, err
		}
		counter.CountIn(profiles.many)
		many, err := rest(ctx, counter, func() (int, error) { return asks.burst(p.Conns) })
		if err != nil {
			return f, err
		}
		f.Requests += few.requests + many.requests
		f.Steps += few.steps + many.steps
		more := many.requests - few.requests
		counts = append(counts, (float64(many.steps)-float64(few.steps))/float64(more))
		profiles.more += more
	}
	if f.Steps == 0 {
		return f, errors.New("the process executed nothing: another one answers")
	}
	slices.Sort(counts)
	middle := len(counts) / 2
	f.PerRequest, f.Elapsed = (counts[middle]+counts[len(counts)-1-middle])/2, time.Since(start)
	f.Lowest, f.Highest = counts[0], counts[len(counts)-1]
	return f, nil
}

// few makes the smaller burst; for workloads of batches, a single request.
func (p *Plan) few(asks asker) (int, error) {
	switch {
	case p.Few > 0:
		return asks.burst(p.Few)
	case p.Workload.Depth > 1:
		return 1, asks.one()
	}
	return 0, nil
}

// spent is the cost of a burst.
type spent struct {
	requests int
	steps    uint64
}

// rest counts the cost of do, from rest to rest.
func rest(ctx context.Context, counter *steps.Counter, do func() (int, error)) (s spent, err error) {
	if err := counter.AwaitRest(ctx); err != nil {
		return s, err
	}
	low := counter.Count()
	if s.requests, err = do(); err != nil {
		return s, err
	}
	err = counter.AwaitRest(ctx)
	s.steps = counter.Count() - low
	return s, err
}
