// The report: samples, rows of medians, and their JSON.

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Report is the JSON that -json writes:
//
//	{
//	  "schema": 1,
//	  "time": "2026-01-02T15:04:05Z",
//	  "machine": "processor, cores, kernel",
//	  "command": "go run ./compare …",
//	  "driver": "loadgen",
//	  "versions": {"gale": "this tree", "fasthttp": "v1.74.0", …},
//	  "notes": ["no performance counters: …"],
//	  "tables": [{
//	    "workload": "hello", "about": "…", "base": "gale", "notes": […],
//	    "rows": [
//	      {"peer": "gale",
//	       "samples": [{"cpu_us": 9.1, "requests_per_second": 105000, …}, …],
//	       "median": {"cpu_us": 9.2, …},
//	       "spread": {"cpu_us": 0.03, …},
//	       "ratio": {"cpu_us": 1.4, …}},
//	      {"peer": "h2o", "void": "h2o runs no handler of ours"}
//	    ]
//	  }]
//	}
//
// There is a table for each workload, under its name, and one called clients for the
// clients. A sample is one round. Figures are per request unless their names say
// otherwise: requests_per_second, errors (in a round), user_instructions,
// kernel_instructions, instructions, cycles, stepped_instructions (user mode, by
// single-stepping: the same in all samples), cpu_us, user_us, p50_us, p99_us,
// p999_us, rss, peak_rss, bytes_per_connection, requests_per_cpu_second.
//
// Where some requests are deliberately slow, slow_p50_us and slow_p99_us are theirs, and
// the other latencies are those of the remaining requests; without_p99_us is the 99th
// percentile in a run without slow requests immediately before, and added_p99_us the
// difference (negative if p99 was lower with them). due_per_second is the fixed rate of the
// driver; at half load, half of what the peer reached immediately before.
//
// The median is over the samples, the spread is (largest − smallest) / median, and the
// ratio is the median of the rounds' ratios to the base's row.
//
// Times are in microseconds and sizes in bytes. A figure that could not be
// measured is absent; Notes says why, once for all rows. A row without samples
// says in Void why the peer has no figures: it cannot do the workload, or it
// answered wrongly.
type Report struct {
	Schema   int               `json:"schema"` // 1
	Time     string            `json:"time"`   // RFC 3339
	Machine  string            `json:"machine"`
	Command  string            `json:"command"` // that measured this, to be run in bench
	Driver   string            `json:"driver"`
	Versions map[string]string `json:"versions"` // by peer
	Notes    []string          `json:"notes"`
	Tables   []*Table          `json:"tables"` // by workload
}

// Table is one workload's rows.
type Table struct {
	Workload string   `json:"workload"`
	About    string   `json:"about"`
	Base     string   `json:"base"` // the row that ratios are relative to: gale or, among clients, loadgen
	Rows     []*Row   `json:"rows"`
	Notes    []string `json:"notes,omitempty"`
}

// Row is one peer at one workload.
type Row struct {
	Peer    string             `json:"peer"`
	Void    string             `json:"void,omitempty"`
	Samples []Sample           `json:"samples,omitempty"`
	Median  map[string]float64 `json:"median,omitempty"` // by figure
	Spread  map[string]float64 `json:"spread,omitempty"` // (largest − smallest) / median
	Ratio   map[string]float64 `json:"ratio,omitempty"`  // to the base in the same round, the median of the rounds
}

// Sample is one round's figures by name.
type Sample map[string]float64

// The figures.
const (
	figRequests = "requests_per_second"
	figErrors   = "errors"
	figUser     = "user_instructions" // per request, by perf events
	figKernel   = "kernel_instructions"
	figTotal    = "instructions"
	figCycles   = "cycles"
	figStepped  = "stepped_instructions" // user mode, per request, by single-stepping
	figCPU      = "cpu_us"               // per request
	figUserCPU  = "user_us"
	figRSS      = "rss"
	figPeak     = "peak_rss"
	figP50      = "p50_us"
	figP99      = "p99_us"
	figP999     = "p999_us"
	figSlowP50  = "slow_p50_us" // of the deliberately slow requests; those above are of the others
	figSlowP99  = "slow_p99_us"
	figCalmP99  = "without_p99_us"          // in the run without slow requests, immediately before
	figAdded    = "added_p99_us"            // what slow requests add to the others' p99
	figDue      = "due_per_second"          // in an open loop
	figPerCPU   = "requests_per_cpu_second" // of the client's CPU time
	figIdle     = "bytes_per_connection"
)

// settle computes the rows' summaries from their samples.
func (t *Table) settle() {
	var base *Row
	for _, r := range t.Rows {
		r.summarise()
		if r.Peer == t.Base && r.Void == "" {
			base = r
		}
	}
	for _, r := range t.Rows {
		if base != nil && r != base && r.Void == "" {
			r.compare(base)
		}
	}
}

func (r *Row) summarise() {
	r.Median, r.Spread = map[string]float64{}, map[string]float64{}
	for name, values := range byFigure(r.Samples) {
		m := median(values)
		r.Median[name] = m
		if m > 0 {
			r.Spread[name] = (slices.Max(values) - slices.Min(values)) / m
		}
	}
}

func byFigure(samples []Sample) map[string][]float64 {
	all := map[string][]float64{}
	for _, s := range samples {
		for name, v := range s {
			all[name] = append(all[name], v)
		}
	}
	return all
}

// compare takes ratios within each round, so that disturbances of a whole round cancel
// out.
func (r *Row) compare(base *Row) {
	ratios := map[string][]float64{}
	for i := range min(len(r.Samples), len(base.Samples)) {
		for name, v := range r.Samples[i] {
			if b := base.Samples[i][name]; b > 0 {
				ratios[name] = append(ratios[name], v/b)
			}
		}
	}
	r.Ratio = map[string]float64{}
	for name, values := range ratios {
		r.Ratio[name] = median(values)
	}
}

// median returns the median of values, of which there must be at least one.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	if n%2 == 1 {
		return s[n/2]
	}
	return (s[n/2-1] + s[n/2]) / 2
}

// void drops a row's figures and records why.
func (r *Row) void(why string) { r.Void, r.Samples = why, nil }

func readJSON(name string) (*Report, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rep := new(Report)
	if err := json.Unmarshal(b, rep); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if rep.Schema != 1 {
		return nil, fmt.Errorf("%s: schema %d is not known", name, rep.Schema)
	}
	return rep, nil
}

func (rep *Report) writeJSON(name string) error {
	b, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644)
}
