// Counting clients: they are warmed up, attached to under load, and counted in a window
// that opens when every connection has had a turn.

package stepped

import (
	"cmp"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gale-http/gale/bench/internal/steps"
)

// ClientPlan says which client to step through. The client must have been started with Env
// in its environment, make requests to the Canned server on Conns connections, and not stop
// by itself.
type ClientPlan struct {
	PID      int
	Server   *Canned
	Conns    int
	Requests int  // to count, three times
	Warm     int  // before, at full speed
	Profile  bool // of one count
}

// MeasureClient counts a client's user-mode instructions per request: the median of three windows
// that follow one another, or of those that were complete when the time was up, because what the
// client does of its own accord falls into one but not the others. (It is not a collection of
// garbage: Env turns that off.) The figure is exact except for the requests in flight on each
// connection at both ends of the window, and for what the client executes while it waits for
// answers.
func MeasureClient(ctx context.Context, p ClientPlan) (Figure, error) {
	if err := p.Server.watch(ctx, func(done int) bool { return done < p.Warm }); err != nil {
		return Figure{}, fmt.Errorf("warm-up: %w", err)
	}
	_, notGo := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", p.PID))
	counter, err := steps.Attach(p.PID, steps.Options{HoldSleepers: notGo == nil, SlowClock: true})
	if err != nil {
		return Figure{}, err
	}
	profile := steps.Profile{}
	open := func() {
		if p.Profile {
			counter.CountIn(profile)
		}
	}
	w := &window{count: counter.Count, hold: holdMonitor(counter), open: open, turn: p.Conns, width: p.Requests, left: 3}
	if p.Profile {
		w.left = 1
	}
	err = p.Server.watch(ctx, w.seen)
	if errors.Is(err, context.DeadlineExceeded) && len(w.figures) > 0 {
		err = nil
	}
	_, detachErr := counter.Detach()
	if err = errors.Join(err, detachErr); err != nil {
		return Figure{}, err
	}
	figure := w.median()
	if p.Profile {
		figure.Profile, err = shares(p.PID, profile, nil, figure.Requests)
	}
	return figure, err
}

// holdMonitor returns a function that has the monitor of a Go program held, and returns a
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

// window is the span of answers between two readings of the counter, and then the next one. The first
// opens when every connection has had a turn and the threads that sleep are held.
type window struct {
	count       func() uint64
	hold        func() <-chan struct{} // starts to hold the monitor
	open        func()
	held        <-chan struct{}
	turn, width int // answers, at least
	opened      int // answers when it opened; 0: not yet
	low         uint64
	start       time.Time
	left        int // windows still to be counted
	figures     []Figure
}

func (w *window) median() Figure {
	slices.SortFunc(w.figures, func(a, b Figure) int { return cmp.Compare(a.PerRequest, b.PerRequest) })
	return w.figures[len(w.figures)/2]
}

func (w *window) seen(done int) bool {
	if w.opened > 0 {
		if done-w.opened < w.width {
			return true
		}
		n := w.count() - w.low
		w.figures = append(w.figures, Figure{PerRequest: float64(n) / float64(done-w.opened), Requests: done - w.opened, Steps: n, Elapsed: time.Since(w.start)})
		w.opened, w.low, w.start = done, w.low+n, time.Now()
		w.left--
		return w.left > 0
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
