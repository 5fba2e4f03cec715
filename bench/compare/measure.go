// One measurement: load on one peer for a span of time, and what the peer spent on it,
// read from outside.

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gale-http/gale/bench/internal/drive"
	"github.com/gale-http/gale/bench/internal/load"
	"github.com/gale-http/gale/bench/internal/perf"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/stepped"
	"github.com/gale-http/gale/bench/internal/work"
)

// meter measures peers with the means that the machine offers.
type meter struct {
	driver   drive.Driver
	core     int // the driver's
	duration time.Duration
	counters bool // perf events are available
	pairs    int  // of bursts, stepped through for a figure
}

// perConn is the minimum length of a round per connection; making the connection takes a
// tenth of it.
const perConn = 400 * time.Microsecond

// perByte is the minimum length of a round per byte in flight. A request that is cut off at the
// end of the round has cost the peer something without being counted: the share of these must
// be small.
const perByte = 4 * time.Nanosecond

// dueAtLeast is the minimum number of requests in a round with a low fixed rate: only a
// hundredth of them are above the 99th percentile.
const dueAtLeast = 2000

// tailSpan is the minimum length of a round with deliberately slow requests. A server that learns
// which requests are slow pays for it when they begin: in a quarter of a second, the 99th
// percentile is determined by 2.5 ms, and would show nothing but how long the learning takes.
const tailSpan = time.Second

// sample puts load on the peer for a round and returns its figures.
func (m *meter) sample(ctx context.Context, p *running, w *work.Workload) (Sample, error) {
	// Making many connections must not dominate the round.
	span := max(m.duration, time.Duration(w.Conns)*perConn, time.Duration(w.Conns*(w.Body+len(w.Want.Body)))*perByte)
	if w.Slow != "" {
		span = max(span, tailSpan)
	}
	job := drive.Job{Workload: w, Addr: p.addr, Core: m.core, Duration: span}
	if job.Rate = w.Rate; job.Rate > 0 {
		job.Duration = max(span, time.Duration(dueAtLeast/job.Rate*float64(time.Second)))
	}
	calm := job // the same without the deliberately slow requests
	calm.Workload = w.WithoutSlow()
	if w.Kind == work.Half {
		// Half of the peer's present rate: on a shared machine, its rate a minute ago says little.
		whole, err := m.driver.Run(ctx, calm)
		if err != nil {
			return nil, err
		}
		if whole.Requests == 0 {
			return nil, fmt.Errorf("no request was answered, %d errors", whole.Errors)
		}
		job.Rate = float64(whole.Requests) / whole.Elapsed.Seconds() / 2
		calm.Rate = job.Rate
	}
	var without time.Duration
	if w.Slow != "" {
		result, err := m.driver.Run(ctx, calm)
		if err != nil {
			return nil, err
		}
		without = result.P99
	}
	s, err := m.measure(ctx, p, job)
	if err != nil {
		return nil, err
	}
	if job.Rate > 0 {
		s[figDue] = job.Rate
	}
	if w.Slow != "" {
		s[figCalmP99], s[figAdded] = micros(without), s[figP99]-micros(without)
	}
	return s, nil
}

// measure runs a job and returns what it cost the peer.
func (m *meter) measure(ctx context.Context, p *running, job drive.Job) (Sample, error) {
	var counter *perf.Counter
	if m.counters {
		var err error
		if counter, err = perf.Open(proc.Tree(p.pid())...); err != nil {
			return nil, err
		}
		defer counter.Close()
	}
	before, err := proc.UsageOf(p.pid())
	if err != nil {
		return nil, err
	}
	result, err := m.driver.Run(ctx, job)
	if err != nil {
		return nil, err
	}
	after, err := proc.UsageOf(p.pid())
	if err != nil {
		return nil, fmt.Errorf("it has ended: %w", err)
	}
	if result.Requests == 0 {
		return nil, fmt.Errorf("no request was answered, %d errors", result.Errors)
	}
	s := figuresOf(result, after.Sub(before))
	if counter != nil {
		counts, err := counter.Read()
		if err != nil {
			return nil, err
		}
		s.count(counts, float64(result.Requests))
	}
	return s, nil
}

// count adds the counters' figures for n requests.
func (s Sample) count(counts perf.Counts, n float64) {
	s[figUser], s[figKernel] = float64(counts.User)/n, float64(counts.Kernel)/n
	s[figTotal], s[figCycles] = s[figUser]+s[figKernel], float64(counts.Cycles)/n
}

func figuresOf(r drive.Result, u proc.Usage) Sample {
	n := float64(r.Requests)
	s := Sample{
		figRequests: n / r.Elapsed.Seconds(),
		figErrors:   float64(r.Errors),
		figCPU:      micros(u.CPU) / n,
		figP50:      micros(r.P50),
		figP99:      micros(r.P99),
		figP999:     micros(r.P999),
		figRSS:      float64(u.RSS),
		figPeak:     float64(u.Peak),
	}
	if r.SlowP50 > 0 {
		s[figSlowP50], s[figSlowP99] = micros(r.SlowP50), micros(r.SlowP99)
	}
	if ticks := u.User + u.Kernel; ticks > 0 { // their ratio is more exact than the two themselves
		s[figUserCPU] = s[figCPU] * float64(u.User) / float64(ticks)
	}
	return s
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// warm makes the peer answer requests until it has what it keeps: buffers, goroutines,
// compiled code. Workloads that close their connections are not warmed up.
func (m *meter) warm(ctx context.Context, p *running, w *work.Workload) error {
	requests := 5000
	if each := len(w.Want.Body) + w.Body; each > 1<<12 {
		requests = max(2, 64<<20/each)
	}
	if w.Per > 0 {
		return nil // each connection starts from nothing, and is measured so
	}
	client, err := load.Dial(w, p.addr, min(w.Conns, 64))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Run(ctx, load.Until(requests))
}

// idle opens connections, makes one request on each, and returns the memory that the peer
// holds for each.
func (m *meter) idle(ctx context.Context, p *running, w *work.Workload) (Sample, error) {
	before, err := proc.UsageOf(p.pid())
	if err != nil {
		return nil, err
	}
	client, err := load.Dial(w, p.addr, w.Conns)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	select { // time for the peer to release what it does not keep at rest
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(500 * time.Millisecond):
	}
	after, err := proc.UsageOf(p.pid())
	if err != nil {
		return nil, err
	}
	return Sample{
		figIdle: float64(after.RSS-before.RSS) / float64(w.Conns),
		figRSS:  float64(after.RSS),
	}, nil
}

// Stepping is slow, so a burst has just enough requests for the server to work in
// batches.
const (
	stepMany  = 10 // requests at once
	stepFew   = 2
	stepWarm  = 5000
	freshWarm = 2000 // where connections are closed after one or a few requests
)

// step counts the peer's user-mode instructions exactly.
func (m *meter) step(ctx context.Context, p *running, w *work.Workload, limit time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	plan := stepped.Plan{PID: p.worker(), Addr: p.addr, Workload: w, Conns: stepMany, Few: stepFew, Pairs: m.pairs, Warm: stepWarm}
	switch { // a pipelined batch on one connection does instead of many connections
	case w.Depth > 1:
		plan.Conns, plan.Few = 1, 0
	case w.Per > 0: // a connection takes more steps than a request
		plan.Conns, plan.Few, plan.Warm = 5, 1, freshWarm
	}
	f, err := stepped.Measure(ctx, plan)
	return f.PerRequest, err
}
