// Handing off: a handler that is expected to block never gets the loop. It runs on a goroutine from
// the loop's pool, as one that lost the loop goes on: its stream is an orphan until it is given
// back. The cost is one wake-up.
//
// Who owns a pooled goroutine: the loop while it is idle; the goroutine itself from HandOff until
// its handler has returned. It goes back by pushing itself onto a stack, which the loop takes as a
// whole when its own list is empty.

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

// idlers are a loop's goroutines that wait for a handler to run.
type idlers struct {
	back       atomic.Pointer[Worker] // those that have come back since the loop last looked
	first      *Worker                // the rest, owned by the loop
	count, low int                    // length of the list at first, and its minimum since the last trim
}

// noIdlers seals a stack of idlers: whoever finds it has come back after the loop ended.
var noIdlers = new(Worker)

// HandOff runs fn on a goroutine of the loop's pool, for s, which w serves. fn must end with s
// given back, as on a worker that has lost its loop. The two workers exchange their Local fields. w
// holds the loop, and has nothing of s any more afterwards. If fn calls a handler, CountHandOff
// counts it. HandOff allocates when no goroutine is idle.
func (w *Worker) HandOff(s *Stream, fn func(*Worker)) {
	l := w.loop
	l.acquire() // on behalf of the orphan; it succeeds because w holds the loop
	to := l.idlers.get()
	if to == nil {
		to = newGoroutineWorker(l)
		to.groupGoroutine, to.jobs = false, make(chan struct{}, 1)
		go to.runHandedOff()
	}
	to.Local, w.Local = w.Local, to.Local
	to.Key, to.fn, to.serving, to.offLoop, to.took = w.Key, fn, s, true, 0
	to.outsideHandler, to.gaveUp = true, false
	w.Key = 0
	l.offLoop.Add(1)
	s.worker = to
	s.detach()
	to.jobs <- struct{}{}
	l.handedOff++
}

func (w *Worker) runHandedOff() {
	w.g.Store(sys.G())
	l, idle := w.loop, false
	defer func() {
		w.g.Store(0)
		if !idle { // the handler has called runtime.Goexit
			w.doneOffLoop()
			l.release()
		}
	}()
	for range w.jobs {
		idle = false
		fn := w.fn
		w.fn = nil
		fn(w)
		w.doneOffLoop()
		l.release()
		if idle = true; sys.Locked() || !l.idlers.put(w) {
			return // in the first case the thread ends with it
		}
	}
}

// doneOffLoop notes that the handler of a worker without the loop is done. When its stream was given
// back, Return has noted it already.
func (w *Worker) doneOffLoop() {
	if w.offLoop {
		w.offLoop = false
		w.loop.offLoop.Add(-1)
		w.loop.Post(func(*Loop) {}) // wakes the loop: a stream may be waiting for room
	}
}

// mayServe reports whether one more handler may be called: handlers that wait, block or run elsewhere
// share one bound. but is the number of workers, besides the spares, that do not count.
func (l *Loop) mayServe(but int) bool {
	return l.workers-l.spareCount-but+int(l.offLoop.Load()) < l.maxHandlers
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

// put gives an idle goroutine back, called by itself, and reports whether there still is a loop.
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

// trim ends half of the goroutines that were not needed since the last call.
func (p *idlers) trim() {
	p.takeBack()
	p.end(p.low / 2)
	p.low = p.count
}

// endAll ends the idle goroutines; those that come back later end themselves.
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
