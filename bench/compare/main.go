// Command compare measures gale against its peers.
//
//	go run ./compare                     all workloads, every peer that is installed
//	go run ./compare -quick              the daily check: under a minute, exit status 1 when a target is missed
//	go run ./compare -workloads hello,churn -peers gale,nginx -driver wrk
//	go run ./compare -clients            what a request costs the client: loadgen and others against the floor
//	go run ./compare -perf ..            writes PERF.md, README.md's figures and bench/charts
//	go run ./compare -server fasthttp -addr :8080   only runs that peer
//
// It builds the servers, starts each in a process of its own on one core, drives
// it from another core, and measures from outside: requests, errors, user and
// kernel instructions and cycles per request (perf events), CPU time, memory and
// latency. Answers are checked before and after the timing; a peer that answers
// wrongly gets no figures. Each round measures all peers in turn; medians are shown,
// and ratios are taken within a round.
//
// Report describes what -json writes, and bench/README.md how to install peers. What
// -perf writes goes between two marker comments of PERF.md and README.md.
//
// If the machine has no performance counters, compare says so, and counts user-mode
// instructions by stepping through a few requests instead (-steps).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
	"github.com/gale-http/gale/bench/internal/perf"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/work"
)

// options is the command line.
type options struct {
	quick, clients   bool
	peers, workloads string
	driver           string
	rounds, pairs    int
	duration         time.Duration
	steps            string
	json, md, from   string
	svg, perf        string // directories
	server, addr     string
	serverCore       int
	clientCore       int
}

func main() {
	o := parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status, err := o.main(ctx)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
	}
	os.Exit(status)
}

func parse() *options {
	o := new(options)
	flag.BoolVar(&o.quick, "quick", false, "hello, browser, pipeline16 and idle; gale, fasthttp, nethttp and floor; check the targets")
	flag.StringVar(&o.peers, "peers", "", "peers, with commas between (default: all that are installed)")
	flag.StringVar(&o.workloads, "workloads", "", "workloads, with commas between (default: all)")
	flag.StringVar(&o.driver, "driver", "loadgen", "loadgen or wrk")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds (default: 5, quick 3)")
	flag.DurationVar(&o.duration, "d", 0, "span of a round (default: 2s, quick 250ms)")
	flag.StringVar(&o.steps, "steps", "", "count instructions by stepping for these peers, or none, or all (default: all, where there are no counters)")
	flag.IntVar(&o.pairs, "pairs", 0, "pairs of bursts to step through for a figure (default: 3, quick 1)")
	flag.BoolVar(&o.clients, "clients", false, "the client table; no other, unless -workloads or -quick asks for some")
	flag.StringVar(&o.json, "json", "", "write the report as JSON to this file")
	flag.StringVar(&o.md, "md", "", "write the tables as Markdown to this file")
	flag.StringVar(&o.from, "from", "", "measure nothing: take the report from this file that -json wrote")
	flag.StringVar(&o.svg, "svg", "", "write a bar chart of each table as SVG into this directory")
	flag.StringVar(&o.perf, "perf", "", "write the measured part of PERF.md and README.md, and bench/charts, of the repository at this directory; with -clients")
	flag.StringVar(&o.server, "server", "", "only run this peer, at -addr")
	flag.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address for -server")
	flag.IntVar(&o.serverCore, "servercore", 0, "core for the servers")
	flag.IntVar(&o.clientCore, "clientcore", 1, "core for the drivers")
	cli.Parse("")
	cli.Least("rounds", o.rounds, 0)
	cli.Least("pairs", o.pairs, 0)
	cli.Least("servercore", o.serverCore, 0)
	cli.Least("clientcore", o.clientCore, 0)
	if o.duration < 0 {
		cli.Failf("-d %v: want a time", o.duration)
	}
	return o
}

// defaults fills in the options that depend on whether -quick is given.
func (o *options) defaults() {
	peers, workloads, rounds, span, pairs := "all", "all", 5, 2*time.Second, 3
	if o.quick {
		peers, workloads, rounds, span, pairs = "gale,fasthttp,nethttp,floor", "hello,browser,pipeline16,idle", 3, 250*time.Millisecond, 1
	}
	if o.peers == "" {
		o.peers = peers
	}
	if o.perf != "" {
		o.clients = true
	}
	if o.perf == "" && o.workloads == "" && o.clients && !o.quick {
		o.peers, o.workloads = "floor", "none"
	}
	if o.workloads == "" {
		o.workloads = workloads
	}
	if o.rounds < 1 {
		o.rounds = rounds
	}
	if o.pairs < 1 {
		o.pairs = pairs
	}
	if o.duration <= 0 {
		o.duration = span
	}
}

// main returns the exit status: 1 if a target was missed, 2 if the run could not be made.
func (o *options) main(ctx context.Context) (int, error) {
	o.defaults()
	if o.perf != "" {
		if err := checkPerf(o.perf); err != nil {
			return 2, err
		}
	}
	site, err := newSite(o.serverCore, o.clientCore)
	if err != nil {
		return 2, err
	}
	defer site.remove()
	if o.server != "" {
		return o.serve(ctx, site)
	}
	rep, err := o.report(ctx, site)
	if err != nil {
		return 2, err
	}
	rep.print(os.Stdout)
	if err := o.save(rep); err != nil {
		return 2, err
	}
	if o.quick {
		kept, err := checkTargets(rep, os.Stdout)
		if err != nil {
			return 2, err
		}
		if !kept {
			return 1, errors.New("a target is missed")
		}
	}
	return 0, nil
}

// report measures, or reads an earlier report.
func (o *options) report(ctx context.Context, site *site) (*Report, error) {
	if o.from != "" {
		return readJSON(o.from)
	}
	s, err := o.session(ctx, site)
	if err != nil {
		return nil, err
	}
	notes := s.prepareCounters(o)
	rep, err := s.run(ctx)
	if err != nil {
		return nil, err
	}
	rep.Notes, rep.Command = notes, commandLine()
	return rep, nil
}

// commandLine is the command line of this run, without the options for files to write.
func commandLine() string {
	line := "go run ./compare"
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "json", "md", "svg":
		default:
			line += " -" + f.Name
			if s := f.Value.String(); s != "true" {
				line += " " + s
			}
		}
	})
	return line
}

func (o *options) session(ctx context.Context, site *site) (*session, error) {
	if proc.Cores() < 2 {
		return nil, errors.New("two cores are needed: one for the server, one for the driver")
	}
	peers, err := choose(o.peers)
	if err != nil {
		return nil, err
	}
	if err := o.checkSteps(); err != nil {
		return nil, err
	}
	s := &session{site: site, peers: peers, rounds: o.rounds, progress: progressTo(os.Stderr), stepLimit: time.Minute}
	for name := range strings.SplitSeq(o.workloads, ",") {
		if name == "none" {
			continue
		} else if name == "all" {
			s.workloads = append(s.workloads, work.All()...)
		} else if w := work.Find(name); w != nil {
			s.workloads = append(s.workloads, w)
		} else {
			return nil, fmt.Errorf("there is no workload %q", name)
		}
	}
	driver, err := site.newDriver(o.driver)
	if err != nil {
		return nil, err
	}
	floor, err := choose("floor") // the upstream of some workloads
	if err != nil {
		return nil, err
	}
	if err := site.build(ctx, append(floor, peers...)); err != nil {
		return nil, err
	}
	if o.driver == "loadgen" {
		if err := site.buildLoadgen(ctx); err != nil {
			return nil, err
		}
	}
	if o.clients {
		s.clients = allClients()
		if err := site.buildClients(ctx); err != nil {
			return nil, err
		}
	}
	s.meter = &meter{driver: driver, core: o.clientCore, duration: o.duration, pairs: o.pairs}
	return s, nil
}

// checkSteps validates -steps.
func (o *options) checkSteps() error {
	for name := range strings.SplitSeq(o.steps, ",") {
		known := name == "" || name == "none" || name == "all"
		for _, p := range allPeers() {
			known = known || name == p.name
		}
		if !known {
			return fmt.Errorf("-steps: there is no peer %q", name)
		}
	}
	return nil
}

// prepareCounters determines what the machine can count, and notes what it cannot.
func (s *session) prepareCounters(o *options) (notes []string) {
	counter, err := perf.Open(os.Getpid())
	if err == nil {
		counter.Close()
		s.counters = true
		notes = append(notes, "performance counters (perf events): user and kernel instructions, cycles, over all threads of a server")
	} else {
		notes = append(notes, err.Error()+"; CPU time is from /proc/PID/task/*/schedstat")
	}
	if load := proc.Load(); load > 0.5 {
		notes = append(notes, fmt.Sprintf("the machine had other work: its load average was %.1f at the start", load))
	}
	steps := o.steps
	if steps == "" && !s.counters {
		steps = "all"
	}
	for _, p := range s.peers {
		for name := range strings.SplitSeq(steps, ",") {
			if name == p.name || name == "all" {
				s.steps = append(s.steps, p)
			}
		}
	}
	if len(s.steps) > 0 {
		notes = append(notes, fmt.Sprintf("stepped instructions are user mode only, counted one by one: what each request more costs a server that is awake (%d at once against %d, from rest to rest), garbage collection left out; workloads that sleep, shake hands or move more than 16 KiB a request are not stepped through", stepMany, stepFew))
	}
	return notes
}

// serve builds one peer and runs it until it is interrupted.
func (o *options) serve(ctx context.Context, site *site) (int, error) {
	peers, err := choose(o.server)
	if err != nil {
		return 2, err
	}
	if err := site.build(ctx, peers); err != nil {
		return 2, err
	}
	args, err := peers[0].command(site, launch{addr: o.addr, workload: work.Find("hello")}, site.dir)
	if err != nil {
		return 2, err
	}
	if err := runForeground(ctx, args); err != nil && ctx.Err() == nil {
		return 2, err
	}
	return 0, nil
}

func (o *options) save(rep *Report) error {
	if o.json != "" {
		if err := rep.writeJSON(o.json); err != nil {
			return err
		}
	}
	if o.svg != "" {
		if err := rep.drawCharts(o.svg); err != nil {
			return err
		}
	}
	if o.perf != "" {
		if err := rep.writePerf(o.perf); err != nil {
			return err
		}
	}
	if o.md == "" {
		return nil
	}
	file, err := os.Create(o.md)
	if err != nil {
		return err
	}
	rep.markdown(file)
	return file.Close()
}

// progressTo returns w if it is a terminal.
func progressTo(w *os.File) io.Writer {
	if info, err := w.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return w
	}
	return io.Discard
}
