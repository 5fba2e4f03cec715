// Measuring: a run between two readings of clocks, and what comes out of it.

package main

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// result is all that is known of a run. Nanoseconds, unless a name says
// otherwise.
type result struct {
	plan     *plan
	ending   ending
	embedded bool
	elapsed  time.Duration // until the end of the run, without the grace

	latency  *hdrhistogram.Histogram
	longest  int64
	answers  int64
	late     int64
	lost     int64
	failed   int64
	connects int64
	received int64
	sent     int64
	statuses [1000]int64
	errors   map[kind]int64

	client    cpuTime
	server    cpuTime
	hasServer bool // the embedded server could tell its CPU time
}

// measure does the run. own is nil when the server is somebody else's.
func measure(ctx context.Context, p *plan, own *server, show *progress) (*result, error) {
	r, err := newRun(p)
	if err != nil {
		return nil, err
	}
	res := &result{plan: p, embedded: own != nil}
	serverBefore, known := own.cpu()
	clientBefore := processCPU()
	r.start(p.duration)
	res.ending = r.wait(ctx, show.drawer(r, p))
	show.clear()
	ended := r.clock()
	r.finish()
	res.client = processCPU().minus(clientBefore)
	serverAfter, stillKnown := own.cpu()
	res.server, res.hasServer = serverAfter.minus(serverBefore), known && stillKnown
	res.elapsed = time.Duration(min(ended, r.end.Load()) - r.begun)
	res.collect(r.shards)
	return res, nil
}

// collect adds up what the shards have.
func (res *result) collect(shards []*shard) {
	res.latency = hdrhistogram.New(1, slowestNanos, digits)
	res.errors = map[kind]int64{}
	for _, s := range shards {
		res.latency.Merge(s.latency)
		res.longest = max(res.longest, s.longest)
		res.answers += s.answers
		res.late += s.late
		res.lost += s.lost
		res.failed += s.failed
		res.connects += s.connects
		res.received += s.received
		res.sent += s.sent
		for status, n := range s.statuses {
			res.statuses[status] += n
		}
		for k, n := range s.errors {
			res.errors[k] += n
		}
	}
}

// rate is the answers per second while requests were sent.
func (res *result) rate() float64 {
	if res.elapsed <= 0 {
		return 0
	}
	return float64(res.answers-res.late) / res.elapsed.Seconds()
}

// percentile is a latency.
func (res *result) percentile(p float64) time.Duration {
	return time.Duration(min(res.latency.ValueAtPercentile(p), res.longest))
}

// perRequest spreads CPU time over the answers.
func (res *result) perRequest(d time.Duration) time.Duration {
	if res.answers == 0 {
		return 0
	}
	return d / time.Duration(res.answers)
}

func (res *result) exitCode() int {
	switch {
	case res.ending == endInterrupted:
		return exitInterrupted
	case res.ending == endDied, res.answers == 0:
		return exitDied
	}
	return exitDone
}
