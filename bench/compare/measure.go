// One measurement: a span of load on one peer, and what the peer spent on it,
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

// meter measures peers with what the machine offers.
type meter struct {
	driver   drive.Driver
	core     int // the driver's
	duration time.Duration
	counters bool // perf events are to be had
	pairs    int  // of bursts that are stepped through for a figure
}

// perConn is what a round lasts at least for each connection: a tenth of it goes into
// making that.
const perConn = 400 * time.Microsecond

// perByte is what a round lasts at least for each byte that is under way at once. What is cut
// off at its end has cost the peer something, and counts for nothing: it is not to be much.
const perByte = 4 * time.Nanosecond

// dueAtLeast is how many requests a round has at least where few are due in a second: a
// hundredth of them are above a 99th percentile.
const dueAtLeast = 2000

// tailSpan is what a round lasts at least where some requests are slow on purpose. A server that
// learns which these are pays for it when they begin: of a quarter of a second, the 99th
// percentile is made of 2.5 ms, and would say how long that takes and nothing else.
const tailSpan = time.Second

// sample puts load on the peer for a round and gives its figures.
func (m *meter) sample(ctx context.Context, p *running, w *work.Workload) (Sample, error) {
	// Making many connections is not to be most of what a round is about.
	span := max(m.duration, time.Duration(w.Conns)*perConn, time.Duration(w.Conns*(w.Body+len(w.Want.Body)))*perByte)
	if w.Slow != "" {
		span = max(span, tailSpan)
	}
	job := drive.Job{Workload: w, Addr: p.addr, Core: m.core, Duration: span}
	if job.Rate = w.Rate; job.Rate > 0 {
		job.Duration = max(span, time.Duration(dueAtLeast/job.Rate*float64(time.Second)))
	}
	calm := job // the same without what is slow on purpose
	calm.Workload = w.WithoutSlow()
	if w.Kind == work.Half {
		// Half of what the peer does now: what it did a minute ago says little on a machine
		// that others use, too.
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

// measure does a job and gives what it took the peer.
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

// count adds what counters say of n requests.
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
	if ticks := u.User + u.Kernel; ticks > 0 { // their proportion is better than they are
		s[figUserCPU] = s[figCPU] * float64(u.User) / float64(ticks)
	}
	return s
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// warm has the peer answer until it has made what it keeps: buffers, goroutines,
// compiled code. Workloads that close their connections are warmed up by hello.
func (m *meter) warm(ctx context.Context, p *running, w *work.Workload) error {
	requests := 5000
	if each := len(w.Want.Body) + w.Body; each > 1<<12 {
		requests = max(2, 64<<20/each)
	}
	if w.Per > 0 {
		return nil // each connection starts from nothing, and so it is measured
	}
	client, err := load.Dial(w, p.addr, min(w.Conns, 64))
	if err != nil {
		return err
	}
	defer client.Close()
	return client.Run(ctx, load.Until(requests))
}

// idle opens connections, has each answered once, and gives the memory that each
// keeps the peer occupied with.
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
	select { // what is given back at rest is given back soon
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

// Stepping is slow, so a burst has no more requests than it takes to see a server
// work in batches.
const (
	stepMany  = 10 // requests at once
	stepFew   = 2
	stepWarm  = 5000
	freshWarm = 2000 // where each request, or so, has a connection of its own
)

// step counts the peer's user-mode instructions exactly.
func (m *meter) step(ctx context.Context, p *running, w *work.Workload, limit time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	plan := stepped.Plan{PID: p.worker(), Addr: p.addr, Workload: w, Conns: stepMany, Few: stepFew, Pairs: m.pairs, Warm: stepWarm}
	switch { // a batch is as good as a crowd
	case w.Depth > 1:
		plan.Conns, plan.Few = 1, 0
	case w.Per > 0: // a connection costs more than a request
		plan.Conns, plan.Few, plan.Warm = 5, 1, freshWarm
	}
	f, err := stepped.Measure(ctx, plan)
	return f.PerRequest, err
}
