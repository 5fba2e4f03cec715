// The report for programs, and where reports go.

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// document is the JSON report. Every field is always there; durations are in
// seconds unless the name says microseconds.
type document struct {
	URL         string `json:"url"`
	Method      string `json:"method"`
	Connections int    `json:"connections"`
	Loops       int    `json:"loops"`
	Pipeline    int    `json:"pipeline"`
	Embedded    bool   `json:"embedded"` // the server was the program's own

	Ended   string  `json:"ended"`   // "duration", "requests", "target died", "interrupted"
	Seconds float64 `json:"seconds"` // while requests were sent

	RequestsPerSecond float64 `json:"requests_per_second"` // answers in that time, without the late ones
	Answers           int64   `json:"answers"`
	Late              int64   `json:"late"`       // of the answers, those after the end
	Unanswered        int64   `json:"unanswered"` // under way at the end, and in vain
	Failed            int64   `json:"failed"`     // requests that ended in an error
	Connects          int64   `json:"connects"`
	BytesIn           int64   `json:"bytes_in"`
	BytesOut          int64   `json:"bytes_out"`

	Latency  latencies        `json:"latency_us"`
	Statuses map[string]int64 `json:"statuses"` // by code, in digits
	Errors   map[kind]int64   `json:"errors"`   // by kind

	Client cpuUse  `json:"client_cpu"`
	Server *cpuUse `json:"server_cpu"` // null when the server is somebody else's
}

// latencies are in microseconds, from the sending of a request to its complete
// answer.
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
	PerRequest float64 `json:"per_request_us"` // both together
}

func (res *result) document() document {
	p := res.plan
	d := document{
		URL: p.url, Method: p.methodName, Connections: p.connections, Loops: p.loops, Pipeline: p.depth, Embedded: res.embedded,
		Ended: string(res.ending), Seconds: res.elapsed.Seconds(),
		RequestsPerSecond: res.rate(), Answers: res.answers, Late: res.late, Unanswered: res.lost, Failed: res.failed,
		Connects: res.connects, BytesIn: res.received, BytesOut: res.sent,
		Statuses: map[string]int64{}, Errors: res.errors,
		Client: res.use(res.client),
	}
	if res.answers > 0 {
		d.Latency = latencies{
			Min: float64(res.latency.Min()) / 1e3, Mean: res.latency.Mean() / 1e3,
			P50: micros(res.percentile(50)), P90: micros(res.percentile(90)), P99: micros(res.percentile(99)),
			P999: micros(res.percentile(99.9)), Max: float64(res.longest) / 1e3,
		}
	}
	for status, n := range res.statuses {
		if n > 0 {
			d.Statuses[strconv.Itoa(status)] = n
		}
	}
	if res.hasServer {
		use := res.use(res.server)
		d.Server = &use
	}
	return d
}

func (res *result) use(t cpuTime) cpuUse {
	return cpuUse{t.user.Seconds(), t.system.Seconds(), micros(res.perRequest(t.total()))}
}

func micros(d time.Duration) float64 { return float64(d) / 1e3 }

// output is where the reports go.
type output struct {
	text io.Writer // nil: nowhere
	json io.Writer // nil: nowhere
	file *os.File  // to be closed
}

// openOutput makes sure before the run that the report can be written after it.
func openOutput(name string, stdout io.Writer) (*output, error) {
	switch name {
	case "":
		return &output{text: stdout}, nil
	case "-":
		return &output{json: stdout}, nil
	}
	f, err := os.Create(name)
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
	encoder := json.NewEncoder(o.json)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(res.document()); err != nil {
		return fmt.Errorf("-json: %w", err)
	}
	return nil
}
