// Tallies: the results of one class.

package main

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are recorded in nanoseconds with three significant digits, up to an hour.
const (
	slowestNanos = 3600 * 1e9
	digits       = 3
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, slowestNanos, digits) }

// tally holds the counts of one class.
type tally struct {
	latency  *hdrhistogram.Histogram
	longest  int64 // exact; the histogram rounds
	answers  int64
	late     int64 // answers after the end of the run
	lost     int64 // requests that were under way at the end and not answered
	failed   int64 // requests that ended in an error
	statuses [1000]int64
}

func newTallies(n int) []tally {
	list := make([]tally, n)
	for i := range list {
		list[i].latency = newHistogram()
	}
	return list
}

// record counts n answers that took nanos.
func (t *tally) record(n, nanos int64, late bool) {
	t.answers += n
	if late {
		t.late += n
	}
	t.longest = max(t.longest, nanos)
	_ = t.latency.RecordValues(min(nanos, slowestNanos), n) // in range: the clock is monotonic
}

// add merges u into t.
func (t *tally) add(u *tally) {
	t.latency.Merge(u.latency)
	t.longest = max(t.longest, u.longest)
	t.answers += u.answers
	t.late += u.late
	t.lost += u.lost
	t.failed += u.failed
	for status, n := range u.statuses {
		t.statuses[status] += n
	}
}

// percentile returns a percentile of the latency.
func (t *tally) percentile(p float64) time.Duration {
	return quantile(t.latency, p, t.longest)
}

// quantile returns a percentile of a histogram whose largest value is known exactly.
func quantile(h *hdrhistogram.Histogram, p float64, most int64) time.Duration {
	return time.Duration(min(h.ValueAtPercentile(p), most))
}

// good returns the number of answers with a 2xx status.
func (t *tally) good() (n int64) {
	for _, k := range t.statuses[200:300] {
		n += k
	}
	return n
}
