// The command line. Flags may stand before, after and between the URLs.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

type options struct {
	urls        []string // with weights
	connections int
	loops       int
	pipeline    int
	per         int     // requests on a connection; 0: as many as the server takes
	rate        float64 // requests per second; 0: each as soon as the previous one is answered
	requests    int64   // 0: no bound
	duration    time.Duration
	timeout     time.Duration
	method      string
	headers     []header
	body        []byte
	hasBody     bool
	cacert      string
	insecure    bool
	bounds      []bound
	json        string
}

type header struct{ name, value string }

const usageText = `usage: loadgen [flags] [[WEIGHT=]URL...]

Loads an HTTP/1.1 server and reports requests per second, latency, statuses,
errors and CPU time per request. Without a URL it starts a gale server of its own
in a child process and loads that.

URL is http://host[:port]/path?query, https://…, host:port, or
unix:/path/to/socket[:/path].
Several URLs of one server are asked for in turn, each as often as its WEIGHT says
(1), and are told apart in the report: loadgen 99=http://h/ 1=http://h/slow

  -c N         connections, kept open as long as the server lets them (64)
  -d TIME      how long: 10s, 2m, or seconds (5s; no bound when only -n is given)
  -n N         how many requests in all; those that fail count
  -r N         requests per second in all, due at fixed instants (as many as are answered)
  -t N         event loops that carry the connections (half the processors)
  -p N         requests written at once on a connection, before their answers (1)
  -per N       requests on a connection; the last asks the server to close it (no bound)
  -m METHOD    method (GET; POST with -b)
  -H FIELD     a header field, "Name: value"; repeatable; Host replaces the URL's
  -b BODY      request body; @FILE takes it from a file
  -cacert FILE  verify a server's certificate against those in FILE (the system's)
  -insecure    do not verify it
  -timeout TIME  how long to wait for a connection, or for the next byte (5s)
  -max FIGURE=LIMIT  exit with 1 when it is higher; repeatable; -max p99=10ms -max errors=0.1%
  -min rate=N  exit with 1 when fewer requests per second are answered
  -json FILE   write the report as JSON as well; - is standard output, and then JSON only
  -h           this text

Without -r a connection sends its next batch as soon as the last one is answered.
Latency runs from there to the complete answer; the clock is read once a batch.
With -per the first request on a connection includes connecting and shaking hands;
a TLS connection always has the whole handshake: -per 1 measures that. Bytes are
counted without TLS.

With -r requests are due at even intervals, and go out on whichever connection is
free. Latency runs from when a request was due, however late it left, so that a server
that stands still is seen by everyone who would have come meanwhile. The row
"behind" says how late they left; a clock wakes a loop at most every 50 µs (elsewhere
than on Linux: 1 ms), and all that are due then leave together. What was due and
found no free connection until the end is reported as unsent: more of -c, or less of -r.

With both -d and -n the run ends with whichever comes first. Answers under way at
the end have a second to arrive: they count as answers and for the latency, not for
the rate.

FIGURE is mean, p50 or any other percentile (p99.9), max (of the latency); errors or
non2xx (a number, or a share in %); unsent. PATH: before it means that URL alone:
-max /slow:p99=20ms

exit status: 0 the run went to its end; 1 the target died or never answered, or a
-max or -min was missed; 2 nothing was run: bad flags, unreachable target, too few
descriptors; 130 interrupted (the report is printed all the same).
`

func usage(w io.Writer) { _, _ = io.WriteString(w, usageText) }

// processors returns how many processors the program may use.
func processors() int { return runtime.GOMAXPROCS(0) }

// parseFlags parses the command line. Its errors are one line each; flag.ErrHelp means that
// the usage was asked for.
func parseFlags(args []string) (*options, error) {
	opt := &options{}
	fs := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.IntVar(&opt.connections, "c", 64, "")
	fs.IntVar(&opt.loops, "t", max(processors()/2, 1), "")
	fs.IntVar(&opt.pipeline, "p", 1, "")
	fs.IntVar(&opt.per, "per", 0, "")
	fs.Float64Var(&opt.rate, "r", 0, "")
	fs.Int64Var(&opt.requests, "n", 0, "")
	fs.StringVar(&opt.method, "m", "", "")
	fs.StringVar(&opt.json, "json", "", "")
	fs.StringVar(&opt.cacert, "cacert", "", "")
	fs.BoolVar(&opt.insecure, "insecure", false, "")
	timed := false
	opt.duration, opt.timeout = 5*time.Second, 5*time.Second
	fs.Func("d", "", func(s string) (err error) {
		timed = true
		opt.duration, err = parseTime(s)
		return err
	})
	fs.Func("timeout", "", func(s string) (err error) {
		opt.timeout, err = parseTime(s)
		return err
	})
	fs.Func("H", "", func(s string) error { return opt.addHeader(s) })
	fs.Func("b", "", func(s string) error { return opt.setBody(s) })
	fs.Func("max", "", func(s string) error { return opt.addBound(s, false) })
	fs.Func("min", "", func(s string) error { return opt.addBound(s, true) })
	for rest := args; ; rest = fs.Args()[1:] {
		if err := fs.Parse(rest); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			break
		}
		opt.urls = append(opt.urls, fs.Arg(0))
	}
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["n"] && !timed {
		opt.duration = 0
	}
	return opt, opt.settle(given)
}

// The range of -r.
const (
	slowestRate = 0.001
	highestRate = 100e6
)

// settle validates the numbers and fills in the defaults that depend on others.
func (opt *options) settle(given map[string]bool) error {
	switch {
	case opt.connections < 1 || opt.connections > 1<<20:
		return fmt.Errorf("-c %d: there must be at least one connection, and at most %d", opt.connections, 1<<20)
	case opt.loops < 1 || opt.loops > 1024:
		return fmt.Errorf("-t %d: there must be at least one loop, and at most 1024", opt.loops)
	case opt.pipeline < 1:
		return fmt.Errorf("-p %d: there must be at least one request in a batch", opt.pipeline)
	case given["n"] && opt.requests < 1:
		return fmt.Errorf("-n %d: there must be at least one request", opt.requests)
	case given["per"] && opt.per < 1:
		return fmt.Errorf("-per %d: there must be at least one request on a connection", opt.per)
	case given["r"] && !(opt.rate >= slowestRate && opt.rate <= highestRate):
		return fmt.Errorf("-r %v: there can be from %v to %d requests per second", opt.rate, slowestRate, int(highestRate))
	case given["r"] && opt.pipeline > 1:
		return fmt.Errorf("-p %d: at a rate, requests are due one by one", opt.pipeline)
	case len(opt.urls) > maxClasses:
		return fmt.Errorf("%d URLs: there can be at most %d", len(opt.urls), maxClasses)
	}
	if opt.requests > 0 {
		opt.connections = int(min(int64(opt.connections), opt.requests))
	}
	opt.loops = min(opt.loops, opt.connections)
	if opt.method == "" {
		opt.method = "GET"
		if opt.hasBody {
			opt.method = "POST"
		}
	}
	return nil
}

// descriptors returns how many the run needs: the connections, three for each loop's
// poller, and some for the process.
func (opt *options) descriptors() uint64 { return uint64(opt.connections + 3*opt.loops + 24) }

func (opt *options) addHeader(s string) error {
	name, value, ok := strings.Cut(s, ":")
	if !ok {
		return errors.New(`want "Name: value"`)
	}
	opt.headers = append(opt.headers, header{name, strings.Trim(value, " \t")})
	return nil
}

func (opt *options) addBound(s string, least bool) error {
	b, err := parseBound(s, least)
	opt.bounds = append(opt.bounds, b)
	return err
}

func (opt *options) setBody(s string) (err error) {
	opt.hasBody = true
	if name, ok := strings.CutPrefix(s, "@"); ok {
		opt.body, err = os.ReadFile(name)
		return err
	}
	opt.body = []byte(s)
	return nil
}

// parseTime reads a duration of a millisecond or more.
func parseTime(s string) (time.Duration, error) {
	d, err := parseSpan(s)
	if err == nil && d < time.Millisecond {
		err = errors.New("want at least a millisecond")
	}
	return d, err
}

// parseSpan reads a positive duration, in Go's notation or as a number of seconds.
func parseSpan(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if seconds, bad := strconv.ParseFloat(s, 64); bad == nil {
		if seconds > 0 && seconds < math.MaxInt32 {
			return time.Duration(seconds * float64(time.Second)), nil
		}
		err = errors.New("out of range")
	}
	if err != nil || d <= 0 {
		return 0, errors.New("want a time like 10s, 500ms or 2m")
	}
	return d, nil
}
