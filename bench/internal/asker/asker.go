// Package asker is the common frame of the small client programs of compare's client
// table: it keeps a number of connections busy for a span of time with a function that
// makes one request, and prints how often that succeeded.
package asker

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
)

// Figures is the line of JSON that a client program prints.
type Figures struct {
	Requests int64 `json:"requests"` // answered correctly
	Errors   int64 `json:"errors"`
}

// Options is a client program's command line.
type Options struct {
	Addr     string        // of the server
	Conns    int           // requests in flight at any time
	Duration time.Duration // of the load
}

// Main parses the command line, runs and prints the figures. The function that newAsk
// returns is called by several goroutines at once.
func Main(newAsk func(Options) (ask func() error)) {
	var o Options
	flag.StringVar(&o.Addr, "addr", "127.0.0.1:8080", "server")
	flag.IntVar(&o.Conns, "c", 64, "connections")
	flag.DurationVar(&o.Duration, "d", 2*time.Second, "span of the load")
	cli.Parse("")
	cli.Least("c", o.Conns, 1)
	cli.Positive("d", o.Duration)
	if err := run(o, newAsk(o), os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

func run(o Options, ask func() error, out io.Writer) error {
	var (
		over             atomic.Bool
		requests, errorz atomic.Int64
		last             atomic.Pointer[error]
		group            sync.WaitGroup
	)
	time.AfterFunc(o.Duration, func() { over.Store(true) })
	for range o.Conns {
		group.Go(func() {
			for first := true; first || !over.Load(); first = false { // at least once, however late it begins
				if err := ask(); err != nil {
					errorz.Add(1)
					last.Store(&err)
				} else {
					requests.Add(1)
				}
			}
		})
	}
	group.Wait()
	f := Figures{requests.Load(), errorz.Load()}
	if f.Requests == 0 && last.Load() != nil {
		return fmt.Errorf("no answer: %w", *last.Load())
	}
	return json.NewEncoder(out).Encode(f)
}
