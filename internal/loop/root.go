// The root of a loop: the goroutine that switches between its workers. When the
// watchdog takes a loop away from a handler, a new root goes on with it; the old
// one stays parked beneath its worker and ends with it.

package loop

import "github.com/gale-http/gale/pool"

// root runs the loop under the given generation until the loop ends or goes to another root.
func (l *Loop) root(gen uint32) {
	clean := false
	defer func() {
		// A handler that calls runtime.Goexit ends its worker, and switching to
		// that worker then ends this goroutine too.
		if !clean && uint32(l.lease.word.Load()>>genShift) == gen {
			l.workers--
			go l.root(gen)
		}
	}()
	l.word = leaseWord(gen, 0) | inHandler
	for {
		w := l.nextWorker()
		if w == nil {
			break
		}
		if pool.Debug {
			w.gen = gen
		}
		if _, alive := w.next(); !alive {
			clean = true
			return // the worker lost the loop
		}
	}
	l.publish()
	l.idlers.endAll()
	for l.spares != nil {
		w := l.spares
		l.spares = w.link
		w.stop()
	}
	clean = true
	l.release()
	l.group.roots.Done()
}

// takeOver starts a new root for the loop, whose worker under the lease word has kept it too long;
// cost is what that has cost, in nanoseconds. It reports false when the worker came back in time.
// Any goroutine may call it.
func (l *Loop) takeOver(word uint64, cost int64) bool {
	gen := uint32(word>>genShift) + 1
	if !l.acquire() { // on behalf of the orphan, before it can end
		return false
	}
	if !l.lease.word.CompareAndSwap(word, leaseWord(gen, 0)) {
		l.release()
		return false
	}
	l.noteStall(l.holder.Key, cost)
	l.part(l.holder, gen)
	return true
}

// part goes on without w, which has lost its right to the loop. The caller has acquired the
// reference to the poller that w is going to release.
func (l *Loop) part(w *Worker, gen uint32) {
	fate := TakenOver
	if w.aside {
		fate = Aside
	}
	l.tallies[fate].Add(1)
	l.workers--
	l.offLoop.Add(1)
	w.sendEarlyAsync()
	w.orphan()
	go l.root(gen)
}

// GiveUp leaves the loop for good: the worker goes on as an ordinary goroutine, as if it had lost
// the loop. It may be called only on behalf of user code under the lease. It does nothing when
// there is no loop to leave.
func (w *Worker) GiveUp() {
	w.gaveUp = true
	if w.lost || !w.enter() {
		return
	}
	w.loop.noteGaveUp(w.Key)
	w.surrender()
}

// surrender is GiveUp with the loop held.
func (w *Worker) surrender() {
	l := w.loop
	l.acquire() // on behalf of the orphan; it succeeds because the loop is held
	gen := uint32(l.word>>genShift) + 1
	w.lost, w.offLoop = true, true
	l.lease.word.Store(leaseWord(gen, 0))
	l.part(w, gen)
}
