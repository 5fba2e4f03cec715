// Command fair measures how long the rest of a program waits while all event loops are
// saturated: a go statement, a timer, and a round trip over TCP through package net, as
// handed-off handlers and database pools use them.
//
//	go run ./fair                        # two loops, GOMAXPROCS=2
//	go run ./fair -procs 1 -loops 1
//	go run ./fair -procs 2 -loops 4
//	go run ./fair -by goroutines         # the same work done by goroutines over package net, for comparison
//	go run ./fair -by nothing            # the probes alone
//	go run ./fair -burn 300us            # each answer takes this long to compute
//	go run ./fair -hogs 8                # beside this many goroutines that compute for 20 µs and yield, for ever
//
// A loop is saturated by sockets that answer each other on it: as soon as one has read a
// byte, it sends another. Nothing outside the process takes part, so that the measurement
// is of the scheduling within this process, as long as the machine has a core for each P.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
)

// options is the command line.
type options struct {
	procs, loops int
	hogs         int
	span, burn   time.Duration
	by           string
}

func main() {
	o := new(options)
	flag.IntVar(&o.procs, "procs", 2, "GOMAXPROCS")
	flag.IntVar(&o.loops, "loops", 2, "event loops, or as much work by goroutines")
	flag.DurationVar(&o.span, "d", 2*time.Second, "how long to measure")
	flag.DurationVar(&o.burn, "burn", 0, "what an answer takes to compute")
	flag.IntVar(&o.hogs, "hogs", 0, "goroutines that compute and yield, for ever")
	flag.StringVar(&o.by, "by", "loops", "who does the work: loops, goroutines or nothing")
	cli.Parse("")
	cli.Least("procs", o.procs, 1)
	cli.Least("loops", o.loops, 1)
	cli.Least("hogs", o.hogs, 0)
	cli.Positive("d", o.span)
	runtime.GOMAXPROCS(o.procs)
	r, err := measure(o)
	if err != nil {
		cli.Fail(err)
	}
	r.print(o)
}

// result is what was measured.
type result struct {
	turns  float64 // bytes answered, per second
	delays map[string][]time.Duration
	watch  *watch
}

// measure starts the work and runs the probes beside it.
func measure(o *options) (*result, error) {
	var turns atomic.Int64
	work, stop, err := o.work(&turns)
	if err != nil {
		return nil, err
	}
	defer stop()
	r := new(result)
	if err := r.probe(o, work, &turns); err != nil || work == nil {
		return r, err
	}
	return r, r.watch.rest(work, o.span)
}

// probe runs the probes beside the work, until the span is over.
func (r *result) probe(o *options, work *loops, turns *atomic.Int64) error {
	defer hogs(o.hogs)()
	probes, end, err := newProbes()
	if err != nil {
		return err
	}
	defer end()
	before, began := turns.Load(), time.Now()
	if work != nil {
		r.watch = newWatch(work)
	}
	r.delays = runProbes(probes, o.span)
	r.turns = float64(turns.Load()-before) / time.Since(began).Seconds()
	if work == nil {
		return nil
	}
	return r.watch.end()
}

// work starts the work that saturates the processors; stop ends it.
func (o *options) work(turns *atomic.Int64) (work *loops, stop func(), err error) {
	switch o.by {
	case "loops":
		work, err := byLoops(o.loops, o.burn, turns)
		if err != nil {
			return nil, nil, err
		}
		return work, work.Stop, nil
	case "goroutines":
		stop, err := byGoroutines(o.loops, o.burn, turns)
		return nil, stop, err
	case "nothing":
		return nil, func() {}, nil
	}
	return nil, nil, fmt.Errorf("nobody is called %q: loops, goroutines or nothing do the work", o.by)
}

func (r *result) print(o *options) {
	fmt.Printf("GOMAXPROCS %d, %d × %s: %.0f answers/s\n", o.procs, o.loops, o.by, r.turns)
	names := make([]string, 0, len(r.delays))
	for name := range r.delays {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Printf("  %-14s %8s %8s %8s %8s  µs\n", "delay of", "samples", "p50", "p99", "max")
	for _, name := range names {
		d := r.delays[name]
		fmt.Printf("  %-14s %8d %8.0f %8.0f %8.0f\n", name, len(d), micros(quantile(d, 0.5)), micros(quantile(d, 0.99)), micros(quantile(d, 1)))
	}
	if r.watch != nil {
		r.watch.print()
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// quantile returns the value that a share q of the delays do not exceed. It sorts d.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.SortFunc(d, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	return d[min(len(d)-1, int(q*float64(len(d))))]
}
