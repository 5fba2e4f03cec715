// Measuring: a run between two readings of the clocks, and its result.

package main

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// result is the outcome of a run. Times are in nanoseconds unless the name says otherwise.
type result struct {
	plan     *plan
	ending   ending
	embedded bool
	elapsed  time.Duration // until the end of the run, without the grace

	total    tally
	tallies  []tally // by class
	connects int64
	received int64
	sent     int64
	errors   map[kind]int64

	behind     *hdrhistogram.Histogram // how late requests left, at a rate
	mostBehind int64
	unsent     int64 // requests that were due and did not leave

	client    cpuTime
	server    cpuTime
	hasServer bool // the embedded server reported its CPU time
}

// measure executes the run. own is nil when the server is not embedded.
func measure(ctx context.Context, p *plan, own *server, show *progress) (*result, error) {
	r, err := newRun(p)
	if err != nil {
		return nil, err
	}
	res := &result{plan: p, embedded: own != nil}
	serverBefore, known := own.cpu()
	clientBefore := processCPU()
	r.start(ctx, p.duration)
	res.ending = r.wait(ctx, show.drawer(r, p))
	show.clear()
	ended := r.clock()
	r.finish()
	res.client = processCPU().minus(clientBefore)
	serverAfter, stillKnown := own.cpu()
	res.server, res.hasServer = serverAfter.minus(serverBefore), known && stillKnown
	ended = min(ended, r.end.Load())
	res.elapsed = time.Duration(ended - r.begun)
	res.collect(r.shards)
	for _, s := range r.shards {
		res.unsent += s.unsent(ended)
	}
	return res, nil
}

// collect adds up the shards.
func (res *result) collect(shards []*shard) {
	res.tallies = newTallies(len(res.plan.classes))
	res.errors = map[kind]int64{}
	res.behind = newHistogram()
	for _, s := range shards {
		for i := range s.tallies {
			res.tallies[i].add(&s.tallies[i])
		}
		res.connects += s.connects
		res.received += s.received
		res.sent += s.sent
		for k, n := range s.errors {
			res.errors[k] += n
		}
		if s.pace != nil {
			res.behind.Merge(s.pace.behind)
			res.mostBehind = max(res.mostBehind, s.pace.mostBehind)
		}
	}
	res.total = newTallies(1)[0]
	for i := range res.tallies {
		res.total.add(&res.tallies[i])
	}
}

// rate returns the answers per second during the time in which requests were sent.
func (res *result) rate() float64 { return res.rateOf(&res.total) }

func (res *result) rateOf(t *tally) float64 {
	if res.elapsed <= 0 {
		return 0
	}
	return float64(t.answers-t.late) / res.elapsed.Seconds()
}

// perRequest divides CPU time by the number of answers.
func (res *result) perRequest(d time.Duration) time.Duration {
	if res.total.answers == 0 {
		return 0
	}
	return d / time.Duration(res.total.answers)
}

func (res *result) exitCode() int {
	switch {
	case res.ending == endInterrupted:
		return exitInterrupted
	case res.ending == endDied, res.total.answers == 0:
		return exitFailed
	}
	for _, v := range res.judge() {
		if !v.kept {
			return exitFailed
		}
	}
	return exitDone
}
