// Command steps counts the user-mode instructions per request of any HTTP server,
// exactly, on machines without performance counters:
//
//	go run ./steps -c 64 -n 200 -- ./server -addr {addr}
//
// It starts the command on one core, with {addr} replaced by a free loopback address
// ({host} and {port} for its parts), checks that it answers the workload correctly, warms
// it up, and steps through bursts of requests, one on each connection, instruction by
// instruction and from rest to rest, until there have been -n requests. With one connection
// the server wakes up for each request. With 64, each burst of 64 is preceded by one of 8
// (-few), and the figure is the cost of the other 56, as for a server that is awake anyway.
// A proxy may use {upstream}, which is steps itself: its answers never change, whereas those
// of a server a thousand times as fast as the proxy would have another date each time.
//
// With -client the command is a client that makes requests to {addr}, on -c connections and
// without end; steps itself answers them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/gale-http/gale/bench/internal/cli"
	"github.com/gale-http/gale/bench/internal/proc"
	"github.com/gale-http/gale/bench/internal/stepped"
	"github.com/gale-http/gale/bench/internal/work"
)

func main() {
	var (
		conns    = flag.Int("c", 1, "connections")
		few      = flag.Int("few", -1, "connections of a smaller burst to compare with, so that waking up cancels out; 0: none (default: an eighth of -c)")
		requests = flag.Int("n", 200, "requests to count, those of smaller bursts not counted")
		warm     = flag.Int("warm", 20000, "requests before, at full speed")
		core     = flag.Int("core", 0, "core to run the server on")
		name     = flag.String("workload", "hello", "what to ask: one of compare's workloads")
		limit    = flag.Duration("limit", 10*time.Minute, "give up after")
		profile  = flag.Int("profile", 0, "print this many functions with the most instructions")
		client   = flag.Bool("client", false, "the command is a client")
		asJSON   = flag.Bool("json", false, "print JSON")
	)
	cli.Parse("-- command with {addr}")
	w := work.Find(*name)
	if *few < 0 {
		*few = (*conns + 6) / 8 // none for one
	}
	switch cli.Least("c", *conns, 1); {
	case w == nil:
		cli.Failf("there is no workload %q", *name)
	case *few >= *conns:
		cli.Failf("-few %d: want less than -c %d", *few, *conns)
	}
	cli.Least("n", *requests, 1)
	cli.Least("warm", *warm, 0)
	cli.Least("core", *core, 0)
	cli.Least("profile", *profile, 0)
	cli.Positive("limit", *limit)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	ctx, cancelLimit := context.WithTimeout(ctx, *limit)
	defer cancelLimit()
	each := *conns * w.Depth * max(w.Per, 1)
	plan := stepped.Plan{Workload: w, Conns: *conns, Few: *few, Pairs: (*requests + each - 1) / each, Warm: *warm, Profile: *profile > 0}
	measure := run
	if *client {
		measure = runClient
	}
	figure, err := measure(ctx, flag.Args(), *core, plan)
	if err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
	if *asJSON {
		if err := json.NewEncoder(os.Stdout).Encode(figure); err != nil {
			os.Exit(1)
		}
		return
	}
	spread := ""
	if figure.Highest > 0 {
		spread = fmt.Sprintf("%.1f to %.1f; ", figure.Lowest, figure.Highest)
	}
	fmt.Printf("%.1f user instructions per request (%s%d instructions, %d requests, %d connections, %v, %v a step)\n", figure.PerRequest,
		spread, figure.Steps, figure.Requests, *conns, figure.Elapsed.Round(time.Millisecond), figure.Elapsed/time.Duration(max(figure.Steps, 1)))
	for _, share := range figure.Profile[:min(*profile, len(figure.Profile))] {
		fmt.Printf("%10.1f  %s\n", share.PerRequest, share.Function)
	}
}

func run(ctx context.Context, command []string, core int, plan stepped.Plan) (stepped.Figure, error) {
	addr, err := proc.FreeAddr()
	if err != nil {
		return stepped.Figure{}, err
	}
	upstream, err := stepped.NewCanned()
	if err != nil {
		return stepped.Figure{}, err
	}
	defer upstream.Close()
	cmd, err := start(command, addr, upstream.Addr(), core)
	if err != nil {
		return stepped.Figure{}, err
	}
	defer proc.End(cmd)
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := proc.AwaitListener(waiting, cmd.Process.Pid, addr); err != nil {
		return stepped.Figure{}, err
	}
	if err := plan.Workload.Check(addr); err != nil {
		return stepped.Figure{}, fmt.Errorf("wrong answer: %w", err)
	}
	plan.PID, plan.Addr = cmd.Process.Pid, addr
	return stepped.Measure(ctx, plan)
}

// runClient is run, for a client.
func runClient(ctx context.Context, command []string, core int, plan stepped.Plan) (stepped.Figure, error) {
	server, err := stepped.NewCanned()
	if err != nil {
		return stepped.Figure{}, err
	}
	defer server.Close()
	cmd, err := start(command, server.Addr(), "", core)
	if err != nil {
		return stepped.Figure{}, err
	}
	defer proc.End(cmd)
	return stepped.MeasureClient(ctx, stepped.ClientPlan{PID: cmd.Process.Pid, Server: server, Conns: plan.Conns,
		Requests: plan.Pairs * plan.Conns, Warm: plan.Warm, Profile: plan.Profile})
}

// start starts the command, with the addresses filled in.
func start(command []string, addr, upstream string, core int) (*exec.Cmd, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.NewReplacer("{addr}", addr, "{host}", host, "{port}", port, "{upstream}", upstream).Replace(arg)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), stepped.Env...)
	return cmd, proc.StartPinned(cmd, core)
}
