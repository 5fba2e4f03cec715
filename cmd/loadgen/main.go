// Command loadgen loads an HTTP/1.1 server and reports requests per second, latency,
// statuses, errors, and the CPU time that each side spent on a request.
//
//	loadgen [flags] [[WEIGHT=]URL...]
//
// Without a URL it starts a gale server of its own, in a child process, and loads
// that. Every connection is a coroutine on one of gale's own loops: a small loop
// of blocking calls that writes a batch of requests, encoded once and for all,
// reads, and has gale's message machine check the answers. In the steady state nothing is
// allocated, except for one small object each time a clock has to wake a loop (-r).
//
// Without -r a connection sends its next request when it has the previous answer: this
// finds the most that a server can do, and the latencies are those of clients that wait
// politely. With -r requests are due at fixed instants whether or not the server keeps up,
// and latency runs from when a request was due: if a server stands still for a second, all
// requests of that second are seen to wait, not just one.
//
// It exits with 0 after a run that went to its end, 1 when the target died or
// never answered, a bound (-max, -min) was missed or the report could not be
// written, 2 when there was nothing to run (bad flags, unreachable target, too few
// descriptors), 130 when it was interrupted. "loadgen -h" lists the flags.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// The exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1 // also for a missed bound and an unwritten report
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	if loops, ok := os.LookupEnv(serverEnv); ok {
		os.Exit(serve(loops, os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(command(os.Args[1:], os.Stdout, os.Stderr))
}

// command is the whole program, apart from the process around it.
func command(args []string, stdout io.Writer, stderr *os.File) int {
	opt, err := parseFlags(args)
	if errors.Is(err, flag.ErrHelp) {
		usage(stdout)
		return exitDone
	}
	if err == nil {
		var code int
		if code, err = execute(opt, stdout, stderr); err == nil {
			return code
		}
	}
	fmt.Fprintf(stderr, "loadgen: %v\n", err)
	return exitUsage
}

// execute does what opt asks for. An error means that nothing was run.
func execute(opt *options, stdout io.Writer, stderr *os.File) (int, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process

	if err := checkFileLimit(opt.descriptors()); err != nil {
		return 0, fmt.Errorf("-c %d: %w", opt.connections, err)
	}
	out, err := openOutput(opt.json, stdout)
	if err != nil {
		return 0, err
	}
	defer out.Close()
	var own *server
	if len(opt.urls) == 0 {
		if own, err = startServer(serverLoops(opt.loops)); err != nil {
			return 0, err
		}
		defer own.stop()
		opt.urls = []string{own.url}
	}
	plan, err := opt.plan(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return exitInterrupted, nil
		}
		return 0, err
	}
	result, err := measure(ctx, plan, own, newProgress(stderr))
	if err != nil {
		return 0, err
	}
	if err := out.write(result); err != nil {
		fmt.Fprintf(stderr, "loadgen: %v\n", err)
		return exitFailed, nil
	}
	return result.exitCode(), nil
}

// plan determines what is sent and where to, as opt asks for. It checks that the target can
// be reached.
func (opt *options) plan(ctx context.Context) (*plan, error) {
	classes, t, err := opt.classes()
	if err != nil {
		return nil, err
	}
	p := &plan{
		methodName:  opt.method,
		classes:     classes,
		connections: opt.connections,
		loops:       opt.loops,
		depth:       opt.pipeline,
		per:         opt.per,
		rate:        opt.rate,
		requests:    opt.requests,
		duration:    opt.duration,
		timeout:     opt.timeout,
		bounds:      opt.bounds,
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if len(classes) == 1 {
		classes[0].batch = bytes.Repeat(classes[0].request, opt.pipeline)
	}
	if err := checkBounds(p.bounds, p.classes); err != nil {
		return nil, err
	}
	if p.tls, err = t.config(opt); err != nil {
		return nil, err
	}
	p.addr, err = t.reach(ctx, opt.timeout, p.tls)
	return p, err
}

// serverLoops returns the number of loops of an embedded server for the client's number of
// loops: the processors that are left.
func serverLoops(client int) string { return strconv.Itoa(max(processors()-client, 1)) }
