// The report for programs, and the destinations of reports.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// document is the JSON report. Every field is always present; times are in seconds
// unless the name says microseconds.
type document struct {
	URL           string  `json:"url"` // the first one
	Method        string  `json:"method"`
	Connections   int     `json:"connections"`
	Loops         int     `json:"loops"`
	Pipeline      int     `json:"pipeline"`
	PerConnection int     `json:"requests_per_connection"` // 0: as many as the server took
	Rate          float64 `json:"rate"`                    // requests due per second; 0: each due when the previous one is answered
	Embedded      bool    `json:"embedded"`                // the server was the program's own

	Ended   string  `json:"ended"`   // "duration", "requests", "target died", "interrupted"
	Seconds float64 `json:"seconds"` // while requests were sent

	RequestsPerSecond float64 `json:"requests_per_second"` // answers in that time, without the late ones
	Answers           int64   `json:"answers"`
	Late              int64   `json:"late"`       // answers that came after the end; part of answers
	Unanswered        int64   `json:"unanswered"` // under way at the end, and never answered
	Unsent            int64   `json:"unsent"`     // due before the end, and not sent
	Failed            int64   `json:"failed"`     // requests that ended in an error
	Connects          int64   `json:"connects"`
	BytesIn           int64   `json:"bytes_in"`
	BytesOut          int64   `json:"bytes_out"`

	Latency  latencies        `json:"latency_us"`
	Behind   *delays          `json:"behind_us"` // how late requests left; null without a rate
	Statuses map[string]int64 `json:"statuses"`  // by code, in digits
	Errors   map[kind]int64   `json:"errors"`    // by kind

	Targets []targetReport `json:"targets"` // the results for each URL
	Bounds  []boundReport  `json:"bounds"`  // the outcome of each -max and -min

	Client cpuUse  `json:"client_cpu"`
	Server *cpuUse `json:"server_cpu"` // null when the server is not embedded
}

// targetReport is one URL's part of the report, with the same names as the whole.
type targetReport struct {
	URL               string           `json:"url"`
	Weight            int              `json:"weight"`
	RequestsPerSecond float64          `json:"requests_per_second"`
	Answers           int64            `json:"answers"`
	Late              int64            `json:"late"`
	Unanswered        int64            `json:"unanswered"`
	Failed            int64            `json:"failed"`
	Latency           latencies        `json:"latency_us"`
	Statuses          map[string]int64 `json:"statuses"`
}

// delays are in microseconds, from the time a request was due to the time it left.
type delays struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// boundReport is a bound and its outcome: latencies in microseconds, shares as fractions.
type boundReport struct {
	Bound string  `json:"bound"` // as given
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Kept  bool    `json:"kept"`
}

// latencies are in microseconds, from the sending of a request, or at a rate from the
// time it was due, to its complete answer.
type latencies struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// cpuUse is the CPU time of a process during the run.
type cpuUse struct {
	User       float64 `json:"user"`
	System     float64 `json:"system"`
	PerRequest float64 `json:"per_request_us"` // user and system together
}

func (res *result) document() document {
	p, t := res.plan, &res.total
	d := document{
		URL: p.classes[0].url, Method: p.methodName, Connections: p.connections, Loops: p.loops, Pipeline: p.depth,
		PerConnection: p.per, Rate: p.rate, Embedded: res.embedded,
		Ended: string(res.ending), Seconds: res.elapsed.Seconds(),
		RequestsPerSecond: res.rate(), Answers: t.answers, Late: t.late, Unanswered: t.lost, Unsent: res.unsent, Failed: t.failed,
		Connects: res.connects, BytesIn: res.received, BytesOut: res.sent,
		Latency: t.latencies(), Statuses: t.statusCounts(), Errors: res.errors,
		Targets: []targetReport{}, Bounds: []boundReport{},
		Client: res.use(res.client),
	}
	for i := range res.tallies {
		c, t := &p.classes[i], &res.tallies[i]
		d.Targets = append(d.Targets, targetReport{
			URL: c.url, Weight: c.weight, RequestsPerSecond: res.rateOf(t), Answers: t.answers, Late: t.late, Unanswered: t.lost, Failed: t.failed,
			Latency: t.latencies(), Statuses: t.statusCounts(),
		})
	}
	if p.rate > 0 {
		most := res.mostBehind
		d.Behind = &delays{micros(quantile(res.behind, 50, most)), micros(quantile(res.behind, 99, most)), float64(most) / 1e3}
	}
	for _, v := range res.judge() {
		j := boundReport{Bound: v.bound.text, Value: v.value, Limit: v.bound.limit, Kept: v.kept}
		if isLatency(v.bound.figure) {
			j.Value, j.Limit = j.Value/1e3, j.Limit/1e3
		}
		d.Bounds = append(d.Bounds, j)
	}
	if res.hasServer {
		use := res.use(res.server)
		d.Server = &use
	}
	return d
}

func (t *tally) latencies() latencies {
	if t.answers == 0 {
		return latencies{}
	}
	return latencies{
		Min: float64(t.latency.Min()) / 1e3, Mean: t.latency.Mean() / 1e3,
		P50: micros(t.percentile(50)), P90: micros(t.percentile(90)), P99: micros(t.percentile(99)),
		P999: micros(t.percentile(99.9)), Max: float64(t.longest) / 1e3,
	}
}

func (t *tally) statusCounts() map[string]int64 {
	counts := map[string]int64{}
	for status, n := range t.statuses {
		if n > 0 {
			counts[strconv.Itoa(status)] = n
		}
	}
	return counts
}

func (res *result) use(t cpuTime) cpuUse {
	return cpuUse{t.user.Seconds(), t.system.Seconds(), micros(res.perRequest(t.total()))}
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

// output holds the destinations of the reports.
type output struct {
	text io.Writer // nil: none
	json io.Writer // nil: none
	file *os.File  // to be closed
}

// openOutput makes sure, before the run, that the report can be written after it. The file keeps
// its old report until then: there may be no run.
func openOutput(name string, stdout io.Writer) (*output, error) {
	switch name {
	case "":
		return &output{text: stdout}, nil
	case "-":
		return &output{json: stdout}, nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("-json: %w", err)
	}
	return &output{text: stdout, json: f, file: f}, nil
}

// Close closes the file, if there is one.
func (o *output) Close() {
	if o.file != nil {
		_ = o.file.Close()
	}
}

func (o *output) write(res *result) error {
	if o.text != nil {
		res.print(o.text)
	}
	if o.json == nil {
		return nil
	}
	if o.file != nil {
		_ = o.file.Truncate(0) // a pipe cannot be, and need not
	}
	encoder := json.NewEncoder(o.json)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(res.document()); err != nil {
		return fmt.Errorf("-json: %w", err)
	}
	return nil
}
