// Package stepped measures user-mode instructions per request of a running
// server by stepping through a small number of requests.
package stepped

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"time"

	"github.com/gale-http/gale/bench/internal/load"
	"github.com/gale-http/gale/bench/internal/steps"
	"github.com/gale-http/gale/bench/internal/work"
)

// Env is to be in the environment of a server that will be stepped through. It
// means something to Go programs: a goroutine that seems to have run for too
// long, and every one does when it is stepped, is not sent a signal each time.
const Env = "GODEBUG=asyncpreemptoff=1"

// Plan says what to step through.
type Plan struct {
	PID      int
	Addr     string
	Workload *work.Workload
	Conns    int // connections; all of them always have a request under way
	Requests int // requests to count
	Warm     int // requests at full speed before
	Profile  bool
}

// Figure is the outcome.
type Figure struct {
	PerRequest float64       // user-mode instructions of the whole process per request
	Requests   int           // that were counted
	Steps      uint64        // instructions in them
	Elapsed    time.Duration // it took to step through them
	Profile    []Share       // by function, the largest first; when it was asked for
}

// window is the span of answers between two readings of the counter. It opens
// when every connection has had a turn and the threads that sleep are held.
type window struct {
	count       func() uint64
	hold        func() <-chan struct{} // asks for the rest of them
	open        func()
	held        <-chan struct{}
	turn, width int // answers, at least
	opened      int // answers by then; 0: not yet
	low         uint64
	start       time.Time
	figure      Figure
}

func (w *window) seen(done int) bool {
	if w.opened > 0 {
		if done-w.opened < w.width {
			return true
		}
		n := w.count() - w.low
		w.figure = Figure{PerRequest: float64(n) / float64(done-w.opened), Requests: done - w.opened, Steps: n, Elapsed: time.Since(w.start)}
		return false
	}
	if done < w.turn {
		return true
	}
	if w.held == nil {
		w.held = w.hold()
	}
	select {
	case <-w.held:
		w.opened, w.low, w.start = done, w.count(), time.Now()
		w.open()
	default:
	}
	return true
}

// Measure warms the server up, attaches, lets it settle, and counts.
func Measure(ctx context.Context, p Plan) (Figure, error) {
	client, err := load.Dial(p.Workload, p.Addr, p.Conns)
	if err != nil {
		return Figure{}, err
	}
	defer client.Close()
	if err := client.Run(ctx, load.Until(p.Warm)); err != nil {
		return Figure{}, fmt.Errorf("warm-up: %w", err)
	}
	_, notGo := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", p.PID))
	counter, err := steps.Attach(p.PID, steps.Options{HoldSleepers: notGo == nil, SlowClock: true, Profile: p.Profile})
	if err != nil {
		return Figure{}, err
	}
	w := &window{count: counter.Count, hold: holdMonitor(counter), open: counter.StartProfile, turn: p.Conns * p.Workload.Depth, width: p.Requests}
	type end struct {
		result steps.Result
		err    error
	}
	letGo := make(chan end, 1)
	err = client.Run(ctx, func(done int) bool {
		more := w.seen(done)
		if !more { // what is under way is finished at full speed
			go func() {
				result, err := counter.Detach()
				letGo <- end{result, err}
			}()
		}
		return more
	})
	if w.figure.Requests == 0 {
		_, detachErr := counter.Detach()
		return Figure{}, errors.Join(err, detachErr)
	}
	last := <-letGo
	if err = errors.Join(err, last.err); err == nil && p.Profile {
		w.figure.Profile, err = shares(p.PID, last.result.Profile, w.figure)
	}
	return w.figure, err
}
