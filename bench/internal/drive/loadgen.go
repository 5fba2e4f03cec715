// Driving with gale's own load generator.

package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

// Loadgen drives with cmd/loadgen.
type Loadgen struct{ path string }

// NewLoadgen takes the path of the built program.
func NewLoadgen(path string) *Loadgen { return &Loadgen{path} }

// Name is loadgen.
func (*Loadgen) Name() string { return "loadgen" }

// document is the part of loadgen's JSON report that is used.
type document struct {
	Seconds float64 `json:"seconds"`
	Answers int64   `json:"answers"`
	Failed  int64   `json:"failed"`
	BytesIn int64   `json:"bytes_in"`
	Targets []struct {
		Latency struct {
			P50  float64 `json:"p50"`
			P99  float64 `json:"p99"`
			P999 float64 `json:"p99_9"`
		} `json:"latency_us"`
	} `json:"targets"`
	Statuses map[string]int64 `json:"statuses"`
}

// Run drives one job.
func (l *Loadgen) Run(ctx context.Context, job Job) (Result, error) {
	args, body, err := argumentsFor(job)
	if err != nil {
		return Result{}, err
	}
	if body != nil {
		file, err := os.CreateTemp("", "gale-body-*")
		if err != nil {
			return Result{}, err
		}
		defer os.Remove(file.Name())
		if _, err := file.Write(body); err != nil {
			return Result{}, err
		}
		if err := file.Close(); err != nil {
			return Result{}, err
		}
		args = append(args, "-b", "@"+file.Name())
	}
	cmd := exec.Command(l.path, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := proc.Await(ctx, cmd, job.Core); err != nil {
		if out.Len() > 0 { // there is a report, so the run took place
			return Result{}, errors.New("nothing was answered, or the server died under load")
		}
		return Result{}, fmt.Errorf("loadgen: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	var d document
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		return Result{}, fmt.Errorf("loadgen: %w", err)
	}
	if len(d.Targets) == 0 {
		return Result{}, errors.New("loadgen: a report without targets")
	}
	good, most, least := d.Statuses["200"], d.Targets[0].Latency, d.Targets[len(d.Targets)-1].Latency
	result := Result{
		Requests: good,
		Errors:   d.Failed + d.Answers - good,
		Bytes:    d.BytesIn,
		Elapsed:  time.Duration(d.Seconds * float64(time.Second)),
		P50:      micros(most.P50),
		P99:      micros(most.P99),
		P999:     micros(most.P999),
	}
	if len(d.Targets) > 1 {
		result.SlowP50, result.SlowP99 = micros(least.P50), micros(least.P99)
	}
	return result, nil
}

func micros(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }

// argumentsFor returns the command line and the request body, if any.
func argumentsFor(job Job) ([]string, []byte, error) {
	w := job.Workload
	if w.Kind == work.Idle {
		return nil, nil, fmt.Errorf("%w: loadgen asks, and rests for nobody", ErrCannot)
	}
	args := []string{"-json", "-", "-c", strconv.Itoa(w.Conns), "-d", job.Duration.String(), "-p", strconv.Itoa(w.Depth), "-m", w.Method}
	if job.Rate > 0 {
		args = append(args, "-r", strconv.FormatFloat(job.Rate, 'f', 3, 64))
	}
	if w.Per > 0 {
		args = append(args, "-per", strconv.Itoa(w.Per))
	}
	for _, field := range w.Fields {
		args = append(args, "-H", field)
	}
	var body []byte
	if w.Body > 0 {
		_, body, _ = bytes.Cut(w.Request(job.Addr), []byte("\r\n\r\n"))
	}
	base := "http://" + job.Addr
	if w.TLS { // the certificate is made for this run: verifying it would prove nothing
		base = "https://" + job.Addr
		args = append(args, "-insecure")
	}
	if w.Slow == "" {
		return append(args, base+w.Path), body, nil
	}
	return append(args, fmt.Sprintf("%d=%s%s", work.SlowEvery-1, base, w.Path), base+w.Slow), body, nil
}
