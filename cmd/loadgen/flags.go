// The command line. Flags may stand before and behind the URL.

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
	url         string
	connections int
	loops       int
	pipeline    int
	requests    int64 // 0: as many as there is time for
	duration    time.Duration
	timeout     time.Duration
	method      string
	headers     []header
	body        []byte
	hasBody     bool
	json        string
}

type header struct{ name, value string }

const usageText = `usage: loadgen [flags] [URL]

Loads an HTTP/1.1 server and reports requests per second, latency, statuses,
errors and CPU time per request. Without a URL it starts a gale server of its own
in a child process and loads that.

URL is http://host[:port]/path?query, host:port, or unix:/path/to/socket[:/path].

  -c N         connections, kept open as long as the server lets them (64)
  -d TIME      how long: 10s, 2m, or seconds (5s; no bound when only -n is given)
  -n N         how many requests in all; those that fail count
  -t N         event loops that carry the connections (half the processors)
  -p N         requests written at once on a connection, before their answers (1)
  -m METHOD    method (GET; POST with -b)
  -H FIELD     a header field, "Name: value"; repeatable; Host replaces the URL's
  -b BODY      request body; @FILE takes it from a file
  -timeout TIME  how long to wait for a connection, or for the next byte (5s)
  -json FILE   write the report as JSON as well; - is standard output, and then JSON only
  -h           this text

A connection sends its next batch as soon as the last one is answered. Latency runs
from there to the complete answer; the clock is read once a batch.

With both -d and -n the run ends with whichever comes first. Answers under way at
the end have a second to arrive: they count as answers and for the latency, not for
the rate.

exit status: 0 the run went to its end; 1 the target died or never answered;
2 nothing was run: bad flags, unreachable target, too few descriptors;
130 interrupted (the report is printed all the same).
`

func usage(w io.Writer) { _, _ = io.WriteString(w, usageText) }

// processors is how many of them the program may use.
func processors() int { return runtime.GOMAXPROCS(0) }

// parseFlags reads the command line. Its errors are one line; flag.ErrHelp asks
// for the usage.
func parseFlags(args []string) (*options, error) {
	opt := &options{}
	fs := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.IntVar(&opt.connections, "c", 64, "")
	fs.IntVar(&opt.loops, "t", max(processors()/2, 1), "")
	fs.IntVar(&opt.pipeline, "p", 1, "")
	fs.Int64Var(&opt.requests, "n", 0, "")
	fs.StringVar(&opt.method, "m", "", "")
	fs.StringVar(&opt.json, "json", "", "")
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
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		opt.url = fs.Arg(0)
		if err := fs.Parse(fs.Args()[1:]); err != nil {
			return nil, err
		}
		if fs.NArg() > 0 {
			return nil, fmt.Errorf("one URL at a time: %q is too much", fs.Arg(0))
		}
	}
	counted := false
	fs.Visit(func(f *flag.Flag) { counted = counted || f.Name == "n" })
	if counted && !timed {
		opt.duration = 0
	}
	return opt, opt.settle(counted)
}

// settle judges the numbers and fills in what follows from others.
func (opt *options) settle(counted bool) error {
	switch {
	case opt.connections < 1 || opt.connections > 1<<20:
		return fmt.Errorf("-c %d: there must be at least one connection, and at most %d", opt.connections, 1<<20)
	case opt.loops < 1 || opt.loops > 1024:
		return fmt.Errorf("-t %d: there must be at least one loop, and at most 1024", opt.loops)
	case opt.pipeline < 1:
		return fmt.Errorf("-p %d: there must be at least one request in a batch", opt.pipeline)
	case counted && opt.requests < 1:
		return fmt.Errorf("-n %d: there must be at least one request", opt.requests)
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

// descriptors is how many the run needs: connections, three for each loop's
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

func (opt *options) setBody(s string) (err error) {
	opt.hasBody = true
	if name, ok := strings.CutPrefix(s, "@"); ok {
		opt.body, err = os.ReadFile(name)
		return err
	}
	opt.body = []byte(s)
	return nil
}

// parseTime reads a positive duration: Go's notation, or a number of seconds.
func parseTime(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if seconds, bad := strconv.ParseFloat(s, 64); bad == nil {
		if seconds > 0 && seconds < math.MaxInt32 {
			return time.Duration(seconds * float64(time.Second)), nil
		}
		err = errors.New("out of range")
	}
	switch {
	case err != nil:
		return 0, errors.New("want a time like 10s, 500ms or 2m")
	case d < time.Millisecond:
		return 0, errors.New("want at least a millisecond")
	}
	return d, nil
}
