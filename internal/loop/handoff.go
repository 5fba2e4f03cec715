// Handing off: a handler that is expected to block never gets the loop. It runs on
// a goroutine out of the loop's pool, as one that lost the loop goes on: its stream
// is an orphan until it is given back. What it costs is one wake-up.
//
// Who owns a pooled goroutine: the loop, while it is idle; from HandOff until its
// handler has returned, itself. It goes back by a stack that it pushes itself on to,
// and that the loop takes as a whole when its own list is empty.

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

// idlers are the goroutines of a loop that wait for a handler to run.
type idlers struct {
	back       atomic.Pointer[Worker] // those that have come back since the loop looked
	first      *Worker                // the others, the loop's
	count, low int                    // how many first begins, and the least since the last trim
}

// noIdlers ends a stack of idlers: whoever finds it has come back after the loop.
var noIdlers = new(Worker)

// HandOff has fn run on a goroutine of the loop's pool, for s, which w serves; fn
// must end with s given back, as on a worker that has lost its loop. The two workers
// exchange what is in their Local fields. w holds the loop; of s it has nothing any
// more. Whether it counts as a handler's, CountHandOff says. It allocates when no goroutine is idle.
func (w *Worker) HandOff(s *Stream, fn func(*Worker)) {
	l := w.loop
	l.acquire() // for the orphan; w holds the loop, so there is one
	to := l.idlers.get()
	if to == nil {
		to = newGoroutineWorker(l)
		to.alone, to.jobs = false, make(chan struct{}, 1)
		go to.runHandedOff()
	}
	to.Local, w.Local = w.Local, to.Local
	to.Key, to.fn, to.serving, to.off, to.took = w.Key, fn, s, true, 0
	to.past, to.asked = true, false
	w.Key = 0
	l.off.Add(1)
	s.worker = to
	s.detach()
	to.jobs <- struct{}{}
	l.handed++
}

func (w *Worker) runHandedOff() {
	w.g.Store(sys.G())
	l, idle := w.loop, false
	defer func() {
		w.g.Store(0)
		if !idle { // the handler has called runtime.Goexit
			w.backOff()
			l.release()
		}
	}()
	for range w.jobs {
		idle = false
		fn := w.fn
		w.fn = nil
		fn(w)
		w.backOff()
		l.release()
		if idle = true; sys.Locked() || !l.idlers.put(w) {
			return // with its thread, in the first case
		}
	}
}

// backOff notes that the handler of a worker without the loop is done with. When its
// stream was given back, it was noted before.
func (w *Worker) backOff() {
	if w.off {
		w.off = false
		w.loop.off.Add(-1)
		w.loop.Post(func(*Loop) {}) // there may be somebody for whom there is room now
	}
}

// mayServe tells whether one more handler may be called: those that wait, block or
// run elsewhere are bounded together. but is how many workers that are no spares do
// not count.
func (l *Loop) mayServe(but int) bool {
	return l.workers-l.spareCount-but+int(l.off.Load()) < l.most
}

func (p *idlers) get() *Worker {
	if p.first == nil {
		p.takeBack()
	}
	w := p.first
	if w == nil {
		p.low = 0
		return nil
	}
	p.first, w.link = w.link, nil
	p.count--
	p.low = min(p.low, p.count)
	return w
}

// put gives an idle goroutine back, from itself, and reports whether there still is a
// loop.
func (p *idlers) put(w *Worker) bool {
	for {
		head := p.back.Load()
		if head == noIdlers {
			return false
		}
		w.link = head
		if p.back.CompareAndSwap(head, w) {
			return true
		}
	}
}

func (p *idlers) takeBack() { p.add(p.back.Swap(nil)) }

func (p *idlers) add(w *Worker) {
	for w != nil && w != noIdlers {
		next := w.link
		w.link, p.first = p.first, w
		p.count++
		w = next
	}
}

// trim ends half of the goroutines that nobody has needed since the last call.
func (p *idlers) trim() {
	p.takeBack()
	p.end(p.low / 2)
	p.low = p.count
}

// endAll ends those that are idle; those to come will end themselves.
func (p *idlers) endAll() {
	p.add(p.back.Swap(noIdlers))
	p.end(p.count)
}

func (p *idlers) end(n int) {
	for range n {
		w := p.first
		p.first, w.link = w.link, nil
		p.count--
		close(w.jobs)
	}
}
