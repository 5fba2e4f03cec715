// Package drive puts load on a server with a separate program, on a core of its own, and
// reads that program's figures.
package drive

import (
	"context"
	"errors"
	"time"

	"github.com/gale-http/gale/bench/internal/work"
)

// ErrCannot is wrapped by a driver's error if the driver does not support a workload.
var ErrCannot = errors.New("the driver cannot do this")

// Job is one span of load.
type Job struct {
	Workload *work.Workload
	Addr     string
	Core     int
	Duration time.Duration
	Rate     float64 // requests per second (open loop); 0: each is sent when the previous one is answered
}

// Result is what the driver saw in it.
type Result struct {
	Requests int64 // answered correctly
	Errors   int64 // answered wrongly, or not at all
	Bytes    int64 // received
	Elapsed  time.Duration
	P50      time.Duration // latency; without the deliberately slow requests, if there are any
	P99      time.Duration
	P999     time.Duration
	SlowP50  time.Duration // of the deliberately slow requests
	SlowP99  time.Duration
}

// Driver is one load generator. Run returns when the job is done, or soon after ctx is
// done; the program that it starts has ended by then.
type Driver interface {
	Name() string
	Run(ctx context.Context, job Job) (Result, error)
}
