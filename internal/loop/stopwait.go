// Goroutines that the end of a group waits for, as long as they get somewhere: they may be in
// foreign code, such as a net.Conn whose Close never returns.

package loop

import (
	"sync/atomic"
	"time"
)

// When nothing has ended for this many ticks, what is left is taken to be stuck. A second in which the
// machine stood still counts as one of them.
const (
	stuckTick  = 100 * time.Millisecond
	stuckTicks = 10
)

type stopWait struct {
	n    atomic.Int64
	left chan struct{} // holds one element after a leave that wait has not seen
}

func (w *stopWait) init() { w.left = make(chan struct{}, 1) }

func (w *stopWait) enter() { w.n.Add(1) }

func (w *stopWait) leave() {
	w.n.Add(-1)
	select {
	case w.left <- struct{}{}:
	default:
	}
}

// wait waits until all have left, or none has for stuckTicks. One goroutine may call it.
func (w *stopWait) wait() {
	timer := time.NewTimer(stuckTick)
	defer timer.Stop()
	for ticks := 0; w.n.Load() > 0 && ticks < stuckTicks; {
		select {
		case <-w.left:
			ticks = 0
		case <-timer.C:
			ticks++
		}
		timer.Reset(stuckTick)
	}
}
