// The root of a loop: the goroutine that switches between its workers. When the
// watchdog takes a loop away from a handler, a new root goes on with it; the old
// one stays parked beneath its worker and ends with it.

package loop

// root runs the loop under the given generation until the loop ends or another
// root has it.
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
	l.gen = gen
	for {
		w := l.nextWorker()
		if w == nil {
			break
		}
		if _, alive := w.next(); !alive {
			clean = true
			return // the worker lost the loop
		}
	}
	for l.spares != nil {
		w := l.spares
		l.spares = w.link
		w.stop()
	}
	clean = true
	l.release()
	l.group.loopDone(l)
}

// takeOver makes a fresh root for the loop, whose worker under the lease word has
// kept it too long. It reports false when the worker came back in time. Any
// goroutine may call it.
func (l *Loop) takeOver(word uint64) bool {
	gen := uint32(word>>genShift) + 1
	if !l.acquire() { // for the orphan, before it can end
		return false
	}
	if !l.lease.word.CompareAndSwap(word, leaseWord(gen, 0)) {
		l.release()
		return false
	}
	l.stalls.Add(1)
	l.workers--
	l.holder.orphan()
	go l.root(gen)
	return true
}
