// Package drive puts load on a server with a program of its own, on a core of
// its own, and reads off what that program saw.
package drive

import (
	"context"
	"errors"
	"time"

	"github.com/gale-http/gale/bench/internal/work"
)

// ErrCannot is wrapped by a driver's error when it has no means for a workload.
var ErrCannot = errors.New("the driver cannot do this")

// Job is one span of load.
type Job struct {
	Workload *work.Workload
	Addr     string
	Core     int
	Duration time.Duration
	Rate     float64 // requests per second, due whatever becomes of them; 0: each when the last is answered
}

// Result is what the driver saw in it.
type Result struct {
	Requests int64 // answered rightly
	Errors   int64 // answered wrongly, or not
	Bytes    int64 // received
	Elapsed  time.Duration
	P50      time.Duration // latency; where some requests are slow on purpose, that of the others
	P99      time.Duration
	P999     time.Duration
	SlowP50  time.Duration // of those that are slow on purpose
	SlowP99  time.Duration
}

// Driver is one load generator. Run returns when the job is done, or soon after
// ctx is; the program that it starts is gone by then.
type Driver interface {
	Name() string
	Run(ctx context.Context, job Job) (Result, error)
}
