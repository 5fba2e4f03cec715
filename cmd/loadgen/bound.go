// Bounds: the limits that a run must keep to pass, for unattended runs.

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// bound is one -max or -min. Its limit is in nanoseconds for a latency, a number for a
// count, and a fraction of the requests when it was given in percent.
type bound struct {
	text   string // as given, with the flag
	class  string // a URL or its path; "" is the whole run
	figure string
	limit  float64
	share  bool // limit is a fraction of the requests
	isMin  bool // the limit is a minimum
}

// boundFigures lists the figures that can have a bound, for errors.
const boundFigures = "mean, p50 and every other percentile, max; errors and non2xx, as a number or in percent; unsent"

// parseBound reads "[PATH:]FIGURE=LIMIT".
func parseBound(s string, isMin bool) (b bound, err error) {
	b = bound{text: "-max " + s, isMin: isMin}
	if isMin {
		b.text = "-min " + s
	}
	at := strings.LastIndexByte(s, '=')
	if at < 0 {
		return b, fmt.Errorf("want FIGURE=LIMIT, as in p99=10ms")
	}
	name, limit := s[:at], s[at+1:]
	if colon := strings.LastIndexByte(name, ':'); colon >= 0 {
		b.class, name = name[:colon], name[colon+1:]
	}
	b.figure = name
	percent, isShare := strings.CutSuffix(limit, "%")
	switch {
	case isMin && name == "rate":
		b.limit, err = parseCount(limit)
	case isMin:
		return b, fmt.Errorf("%s: what may be too low is the rate", name)
	case name == "errors" || name == "non2xx":
		b.share = isShare
		if b.limit, err = parseCount(percent); isShare {
			b.limit /= 100
		}
	case name == "unsent":
		b.limit, err = parseCount(limit)
	case isLatency(name):
		var d time.Duration
		d, err = parseSpan(limit)
		b.limit = float64(d)
	default:
		return b, fmt.Errorf("%q is none of %s", name, boundFigures)
	}
	return b, err
}

func parseCount(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || !(n >= 0 && n < 1e15) {
		return 0, fmt.Errorf("%q is not a number that can be a limit", s)
	}
	return n, nil
}

// isLatency reports whether name is a figure of the latencies.
func isLatency(name string) bool {
	if name == "mean" || name == "max" {
		return true
	}
	_, ok := percentileOf(name)
	return ok
}

func percentileOf(name string) (float64, bool) {
	digits, ok := strings.CutPrefix(name, "p")
	p, err := strconv.ParseFloat(digits, 64)
	return p, ok && err == nil && p > 0 && p <= 100
}

// checkBounds checks that each bound is on something that the run requests.
func checkBounds(bounds []bound, classes []class) error {
	for _, b := range bounds {
		if b.class != "" && b.of(classes) < 0 {
			return fmt.Errorf("%s: %s is not among what is asked for", b.text, b.class)
		}
		if b.class != "" && (b.figure == "errors" || b.figure == "unsent") {
			return fmt.Errorf("%s: %s are counted for the run as a whole", b.text, b.figure)
		}
	}
	return nil
}

// of returns the index of the class that the bound is on, -1 for the whole run.
func (b *bound) of(classes []class) int {
	for i := range classes {
		if b.class == classes[i].url || b.class == classes[i].path {
			return i
		}
	}
	return -1
}

// verdict is the outcome of a bound.
type verdict struct {
	bound *bound
	value float64 // in the unit of the limit
	kept  bool
}

// judge compares the result with its bounds. Without any answers, every bound on a latency
// is missed.
func (res *result) judge() (list []verdict) {
	for i := range res.plan.bounds {
		b := &res.plan.bounds[i]
		t := &res.total
		if b.class != "" {
			t = &res.tallies[b.of(res.plan.classes)]
		}
		v := verdict{bound: b, value: res.figure(b, t)}
		v.kept = v.value <= b.limit
		if b.isMin {
			v.kept = v.value >= b.limit
		}
		v.kept = v.kept && (t.answers > 0 || !isLatency(b.figure))
		list = append(list, v)
	}
	return list
}

func (res *result) figure(b *bound, t *tally) float64 {
	of := 1.0
	if b.share {
		of = max(float64(t.answers+t.failed), 1)
	}
	switch b.figure {
	case "rate":
		return res.rateOf(t)
	case "errors":
		n := int64(0)
		for _, k := range res.errors {
			n += k
		}
		return float64(n) / of
	case "non2xx":
		return float64(t.answers-t.good()) / of
	case "unsent":
		return float64(res.unsent)
	case "mean":
		return t.latency.Mean()
	case "max":
		return float64(t.longest)
	}
	p, _ := percentileOf(b.figure)
	return float64(t.percentile(p))
}

// String formats the value in the unit of its limit.
func (v verdict) String() string {
	word := "kept"
	if !v.kept {
		word = "MISSED"
	}
	value := strconv.FormatFloat(v.value, 'f', -1, 64)
	switch {
	case isLatency(v.bound.figure):
		value = span(time.Duration(v.value))
	case v.bound.share:
		value = fmt.Sprintf("%.3g%%", v.value*100)
	case v.bound.figure == "rate":
		value = fmt.Sprintf("%.0f", v.value)
	}
	return fmt.Sprintf("%s: %s, %s", v.bound.text, value, word)
}
