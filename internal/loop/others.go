// Goroutines that the end of a group waits for, as long as they get somewhere: they may be in
// foreign code, such as a net.Conn whose Close never returns.

package loop

import (
	"sync/atomic"
	"time"
)

// stuckAfter is how long nothing may end before what is left is taken to be stuck.
const stuckAfter = time.Second

type others struct {
	n    atomic.Int64
	left chan struct{} // holds one element after a leave that wait has not seen
}

func (o *others) init() { o.left = make(chan struct{}, 1) }

func (o *others) enter() { o.n.Add(1) }

func (o *others) leave() {
	o.n.Add(-1)
	select {
	case o.left <- struct{}{}:
	default:
	}
}

// wait waits until all have left, or none has for stuckAfter. One goroutine may call it.
func (o *others) wait() {
	timer := time.NewTimer(stuckAfter)
	defer timer.Stop()
	for o.n.Load() > 0 {
		select {
		case <-o.left:
			timer.Reset(stuckAfter)
		case <-timer.C:
			return
		}
	}
}
