// Driving with wrk: a script tells it what to send and prints its figures in a form that
// can be parsed reliably.

package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

// Wrk drives with the program wrk, which must be installed.
type Wrk struct{ path string }

// NewWrk looks for wrk in PATH.
func NewWrk() (*Wrk, error) {
	path, err := exec.LookPath("wrk")
	if err != nil {
		return nil, fmt.Errorf("%w: apt-get install wrk", err)
	}
	return &Wrk{path}, nil
}

// Name is wrk.
func (*Wrk) Name() string { return "wrk" }

// report is the end of each script: figures as one line of JSON.
const report = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\n{"Requests":%d,"Bytes":%d,"Micros":%d,"Connect":%d,"Read":%d,"Write":%d,"Status":%d,"Timeout":%d,"P50":%d,"P99":%d,"P999":%d}\n',
    summary.requests, summary.bytes, summary.duration, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
`

// figures is that line. wrk includes answers with a status of 400 and above in its
// requests; latencies are in microseconds.
type figures struct {
	Requests, Bytes, Micros               int64
	Connect, Read, Write, Status, Timeout int64
	P50, P99, P999                        int64
}

// Run drives one job.
func (w *Wrk) Run(ctx context.Context, job Job) (Result, error) {
	script, err := scriptFor(job)
	if err != nil {
		return Result{}, err
	}
	file, err := os.CreateTemp("", "gale-*.lua")
	if err != nil {
		return Result{}, err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(script)
	if err := errors.Join(err, file.Close()); err != nil {
		return Result{}, err
	}
	scheme := "http"
	if job.Workload.TLS {
		scheme = "https"
	}
	// wrk accepts only whole seconds.
	seconds := max(1, int((job.Duration+time.Second/2)/time.Second))
	cmd := exec.Command(w.path, "-t1", fmt.Sprintf("-c%d", job.Workload.Conns), fmt.Sprintf("-d%ds", seconds), "--timeout", "10s",
		"-s", file.Name(), scheme+"://"+job.Addr+job.Workload.Path)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := proc.Await(ctx, cmd, job.Core); err != nil {
		return Result{}, fmt.Errorf("wrk: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	return readFigures(out.Bytes())
}

func readFigures(out []byte) (Result, error) {
	at := bytes.LastIndex(out, []byte("\n{"))
	if at < 0 {
		return Result{}, fmt.Errorf("wrk says nothing to the point: %q", out)
	}
	var f figures
	if err := json.Unmarshal(bytes.TrimSpace(out[at:]), &f); err != nil {
		return Result{}, fmt.Errorf("wrk: %w", err)
	}
	return Result{
		Requests: f.Requests - f.Status,
		Errors:   f.Connect + f.Read + f.Write + f.Status + f.Timeout,
		Bytes:    f.Bytes,
		Elapsed:  time.Duration(f.Micros) * time.Microsecond,
		P50:      time.Duration(f.P50) * time.Microsecond,
		P99:      time.Duration(f.P99) * time.Microsecond,
		P999:     time.Duration(f.P999) * time.Microsecond,
	}, nil
}

// scriptFor returns a Lua script for the workload's request. wrk checks nothing of the
// answers but HTTP's grammar and their status.
func scriptFor(job Job) (string, error) {
	w := job.Workload
	switch {
	case w.Kind == work.Half, w.Rate > 0, job.Rate > 0:
		return "", fmt.Errorf("%w: wrk knows no rate", ErrCannot)
	case w.Slow != "":
		return "", fmt.Errorf("%w: wrk cannot tell the latencies of two paths apart", ErrCannot)
	case w.Kind != work.Requests && w.Kind != work.Handshakes:
		return "", fmt.Errorf("%w: wrk has no connections at rest", ErrCannot)
	case w.Per > 1 && w.Depth > 1:
		return "", fmt.Errorf("%w: wrk does not know which connection it asks on", ErrCannot)
	}
	one := w.Request(job.Addr)
	if w.Per == 1 {
		one = w.Last(job.Addr)
	}
	if w.Body > 0 { // let Lua repeat the body's pieces, so that the script stays small
		head, _, _ := bytes.Cut(one, []byte("\r\n\r\n"))
		piece := one[len(head)+4:]
		piece = piece[:min(len(piece), 1<<10)]
		return fmt.Sprintf("local r = %s .. string.rep(%s, %d)\nrequest = function() return r end\n%s",
			quote(append(head, "\r\n\r\n"...)), quote(piece), w.Body/len(piece), report), nil
	}
	if w.Per > 1 { // one request in Per asks to close: Per requests per connection on average
		return fmt.Sprintf("local n, r, last = 0, %s, %s\nrequest = function() n = n + 1; if n %% %d == 0 then return last end; return r end\n%s",
			quote(one), quote(w.Last(job.Addr)), w.Per, report), nil
	}
	return fmt.Sprintf("local r = string.rep(%s, %d)\nrequest = function() return r end\n%s", quote(one), w.Depth, report), nil
}

// quote returns b as a Lua string literal.
func quote(b []byte) string {
	var s strings.Builder
	s.WriteByte('"')
	for _, c := range b {
		if c < ' ' || c == '"' || c == '\\' || c > '~' {
			fmt.Fprintf(&s, "\\%03d", c)
		} else {
			s.WriteByte(c)
		}
	}
	s.WriteByte('"')
	return s.String()
}
