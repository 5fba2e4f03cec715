// Clients, counted as servers are: warmed up, attached to under load, and the
// window opened when every connection has had a turn.

package stepped

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"

	"github.com/gale-http/gale/bench/internal/steps"
)

// ClientPlan says which client to step through. It has been started with Env in
// its environment, asks the Canned server on Conns connections, and does not stop
// of its own accord.
type ClientPlan struct {
	PID      int
	Server   *Canned
	Conns    int
	Requests int // to count
	Warm     int // before, at full speed
}

// MeasureClient counts a client's user-mode instructions per request. The figure
// is exact but for what each connection had under way at both ends of the window.
func MeasureClient(ctx context.Context, p ClientPlan) (Figure, error) {
	if err := p.Server.watch(ctx, func(done int) bool { return done < p.Warm }); err != nil {
		return Figure{}, fmt.Errorf("warm-up: %w", err)
	}
	_, notGo := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", p.PID))
	counter, err := steps.Attach(p.PID, steps.Options{HoldSleepers: notGo == nil, SlowClock: true})
	if err != nil {
		return Figure{}, err
	}
	w := &window{count: counter.Count, hold: holdMonitor(counter), open: counter.StartProfile, turn: p.Conns, width: p.Requests}
	err = p.Server.watch(ctx, w.seen)
	_, detachErr := counter.Detach()
	return w.figure, errors.Join(err, detachErr)
}

// holdMonitor asks for the monitor of a Go program to be held, and gives a
// channel that is closed when it is.
func holdMonitor(counter *steps.Counter) func() <-chan struct{} {
	return func() <-chan struct{} {
		held := make(chan struct{})
		go func() {
			counter.HoldMonitor()
			close(held)
		}()
		return held
	}
}
