// The client table: the cost of a request to the client, with the floor as the server.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/asker"
	"github.com/gale-http/gale/bench/internal/perf"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/stepped"
	"github.com/gale-http/gale/bench/internal/work"
)

// clientConns is the number of connections of each client.
const clientConns = 64

// clientKind is one client that can be compared.
type clientKind struct {
	name    string
	program string // in the site if it is built, otherwise in PATH
	module  string // whose version is shown, if it is built
	install string // how to install it; "" if it is built
	args    func(addr string, conns int, d time.Duration) []string
	read    func(out []byte) (good, bad int64, err error)
}

func allClients() []*clientKind {
	ask := func(addr string, conns int, d time.Duration) []string {
		return []string{"-addr", addr, "-c", strconv.Itoa(conns), "-d", d.String()}
	}
	return []*clientKind{
		{name: "loadgen", program: "loadgen", module: "github.com/gale-http/gale", read: readLoadgen, args: func(addr string, conns int, d time.Duration) []string {
			return []string{"-json", "-", "-c", strconv.Itoa(conns), "-d", d.String(), "http://" + addr + "/"}
		}},
		{name: "wrk", program: "wrk", install: "apt-get install wrk", read: readWrk, args: func(addr string, conns int, d time.Duration) []string {
			return []string{"-t1", fmt.Sprintf("-c%d", conns), fmt.Sprintf("-d%ds", wholeSeconds(d)), "http://" + addr + "/"}
		}},
		{name: "h2load", program: "h2load", install: "apt-get install nghttp2-client", read: readH2load, args: func(addr string, conns int, d time.Duration) []string {
			return []string{"--h1", "-t1", fmt.Sprintf("-c%d", conns), "-D", fmt.Sprintf("%ds", wholeSeconds(d)), "http://" + addr + "/"}
		}},
		{name: "hey", program: "hey", module: "github.com/rakyll/hey", read: readHey, args: func(addr string, conns int, d time.Duration) []string {
			return []string{"-cpus", "1", "-c", strconv.Itoa(conns), "-z", d.String(), "http://" + addr + "/"}
		}},
		{name: "agent", program: "agent", module: "github.com/gale-http/gale", args: ask, read: readAsker},
		{name: "agent on the loop", program: "agentloop", module: "github.com/gale-http/gale", args: ask, read: readAsker},
		{name: "fasthttp.HostClient", program: "hostclient", module: "github.com/valyala/fasthttp", args: ask, read: readAsker},
		{name: "http.Client", program: "netclient", module: "std", args: ask, read: readAsker},
	}
}

// wholeSeconds rounds d, for programs that accept only whole seconds.
func wholeSeconds(d time.Duration) int { return max(1, int((d+time.Second/2)/time.Second)) }

func readAsker(out []byte) (int64, int64, error) {
	var f asker.Figures
	err := json.Unmarshal(out, &f)
	return f.Requests, f.Errors, err
}

func readLoadgen(out []byte) (int64, int64, error) {
	var d struct {
		Answers  int64            `json:"answers"`
		Failed   int64            `json:"failed"`
		Statuses map[string]int64 `json:"statuses"`
	}
	err := json.Unmarshal(out, &d)
	good := d.Statuses["200"]
	return good, d.Failed + d.Answers - good, err
}

var (
	wrkRequests = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkBad      = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: (\d+)|Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	h2loadLine  = regexp.MustCompile(`(\d+) succeeded, (\d+) failed, (\d+) errored`)
	heyStatus   = regexp.MustCompile(`(?m)^\s*\[(\d+)\]\s+(\d+) responses`)
	heyBad      = regexp.MustCompile(`(?m)^\s*\[(\d+)\]\s+[A-Z]`) // "[3]	Get "http://…": EOF"
)

var versionNumber = regexp.MustCompile(`\d+\.\d+(\.\d+)?`)

var errNoFigures = errors.New("it printed no figures")

func readWrk(out []byte) (good, bad int64, err error) {
	m := wrkRequests.FindSubmatch(out)
	if m == nil {
		return 0, 0, errNoFigures
	}
	all := digits(m[1])
	for _, m := range wrkBad.FindAllSubmatch(out, -1) {
		all -= digits(m[1]) // answered with an error status
		for _, n := range m[1:] {
			bad += digits(n)
		}
	}
	return all, bad, nil
}

func readH2load(out []byte) (good, bad int64, err error) {
	m := h2loadLine.FindSubmatch(out)
	if m == nil {
		return 0, 0, errNoFigures
	}
	return digits(m[1]), digits(m[2]) + digits(m[3]), nil
}

func readHey(out []byte) (good, bad int64, err error) {
	for _, m := range heyStatus.FindAllSubmatch(out, -1) {
		if string(m[1]) == "200" {
			good += digits(m[2])
		} else {
			bad += digits(m[2])
		}
	}
	for _, m := range heyBad.FindAllSubmatch(out, -1) {
		bad += digits(m[1])
	}
	if good+bad == 0 {
		return 0, 0, errNoFigures
	}
	return good, bad, nil
}

// digits parses a number that a pattern has matched; no match is 0.
func digits(b []byte) int64 {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// path returns the path of a client's program, or an error that says how to install it.
func (k *clientKind) path(s *site) (string, error) {
	if k.install == "" {
		return filepath.Join(s.dir, k.program), nil
	}
	path, err := exec.LookPath(k.program)
	if err != nil {
		return "", fmt.Errorf("not installed: %s", k.install)
	}
	return path, nil
}

// version returns the version of the client, "" if it is missing.
func (k *clientKind) version(s *site) string {
	path, err := k.path(s)
	if err != nil {
		return ""
	}
	if k.install == "" {
		server := peerKind{name: k.program, module: k.module}
		return server.version(s)
	}
	for _, flag := range []string{"--version", "-v"} {
		out, err := exec.Command(path, flag).CombinedOutput()
		if v := versionNumber.Find(out); v != nil && (err == nil || bytes.HasPrefix(out, []byte(k.program))) {
			return string(v)
		}
	}
	return "of unknown version"
}

// buildClients compiles the clients that are written in Go, and the floor.
func (s *site) buildClients(ctx context.Context) error {
	const bench = "github.com/gale-http/gale/bench/"
	return errors.Join(s.buildLoadgen(ctx),
		s.goBuild(ctx, ".", bench+"ask/agent", bench+"ask/agentloop", bench+"ask/hostclient", bench+"ask/netclient", bench+"serve/floor", "github.com/rakyll/hey")) // a tool of go.mod's
}

// clientTable measures all clients, round by round.
func (s *session) clientTable(ctx context.Context, kinds []*clientKind) (*Table, error) {
	floor, err := choose("floor")
	if err != nil {
		return nil, err
	}
	server, err := s.start(ctx, floor[0], work.Find("hello"), "", s.serverCore)
	if err != nil {
		return nil, err
	}
	defer server.end()
	t := &Table{Workload: "clients", About: fmt.Sprintf("what it costs the client to ask for 13 bytes on %d connections; the floor answers", clientConns), Base: kinds[0].name}
	for _, k := range kinds {
		row := &Row{Peer: k.name}
		if _, err := k.path(s.site); err != nil {
			row.void(err.Error())
		}
		t.Rows = append(t.Rows, row)
	}
	for round := range s.rounds {
		for i, k := range kinds {
			if t.Rows[i].Void != "" {
				continue
			}
			fmt.Fprintf(s.progress, "clients %d/%d %s\n", round+1, s.rounds, k.name)
			sample, err := s.clientSample(ctx, k, server.addr)
			switch {
			case ctx.Err() != nil:
				return nil, ctx.Err()
			case err != nil:
				t.Rows[i].void(err.Error())
			default:
				t.Rows[i].Samples = append(t.Rows[i].Samples, sample)
			}
		}
	}
	s.stepClients(ctx, kinds, t)
	t.settle()
	return t, ctx.Err()
}

// clientSample runs a client for a round and returns what that cost it, its start
// included.
func (s *session) clientSample(ctx context.Context, k *clientKind, addr string) (Sample, error) {
	path, err := k.path(s.site)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, k.args(addr, clientConns, s.duration)...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	start := time.Now()
	if err := proc.StartPinned(cmd, s.clientCore); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { proc.Kill(cmd) })
	defer stop()
	var counter *perf.Counter
	if s.counters {
		if counter, err = perf.Open(cmd.Process.Pid); err != nil {
			proc.Kill(cmd)
			return nil, errors.Join(err, cmd.Wait())
		}
		defer counter.Close()
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(problems.String()))
	}
	elapsed := time.Since(start)
	good, bad, err := k.read(out.Bytes())
	if err != nil {
		return nil, err
	}
	if good == 0 || bad > good/1000 {
		return nil, fmt.Errorf("%d requests were answered, %d were not", good, bad)
	}
	n, user := float64(good), cmd.ProcessState.UserTime()
	cpu := user + cmd.ProcessState.SystemTime()
	sample := Sample{figRequests: n / elapsed.Seconds(), figErrors: float64(bad), figCPU: micros(cpu) / n, figUserCPU: micros(user) / n,
		figPerCPU: n / cpu.Seconds()}
	if counter != nil {
		counts, err := counter.Read()
		if err != nil {
			return nil, err
		}
		sample.count(counts, n)
	}
	return sample, nil
}

// Stepped clients get fewer connections than timed ones: each must have made a request
// before the count begins.
const (
	clientStepConns    = 8
	clientStepRequests = 32
)

// stepClients counts the clients' user-mode instructions by stepping, if the machine has
// no counters.
func (s *session) stepClients(ctx context.Context, kinds []*clientKind, t *Table) {
	if s.counters {
		return
	}
	t.Notes = append(t.Notes, fmt.Sprintf("User instructions were stepped through with %d requests under way, answered from the same bytes by compare itself", clientStepConns))
	for i, k := range kinds {
		if t.Rows[i].Void != "" || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(s.progress, "clients steps %s\n", k.name)
		n, err := s.stepClient(ctx, k)
		if err != nil {
			t.Notes = append(t.Notes, fmt.Sprintf("%s was not stepped through: %v", k.name, err))
			continue
		}
		for _, sample := range t.Rows[i].Samples {
			sample[figStepped] = n
		}
	}
}

func (s *session) stepClient(ctx context.Context, k *clientKind) (float64, error) {
	path, err := k.path(s.site)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.stepLimit)
	defer cancel()
	server, err := stepped.NewCanned()
	if err != nil {
		return 0, err
	}
	defer server.Close()
	cmd := exec.Command(path, k.args(server.Addr(), clientStepConns, time.Hour)...) // longer than any limit
	cmd.Env = append(os.Environ(), stepped.Env...)
	if err := proc.StartPinned(cmd, s.clientCore); err != nil {
		return 0, err
	}
	defer proc.End(cmd)
	f, err := stepped.MeasureClient(ctx, stepped.ClientPlan{PID: cmd.Process.Pid, Server: server, Conns: clientStepConns,
		Requests: clientStepRequests, Warm: 5000})
	return f.PerRequest, err
}
