// What to do next, and who does it. Nearly always it is the next of the events that a poll has
// brought, for a stream at rest, and the worker that stands here serves it at once (serveArrived).
// Everything else (waits that are over, the backlog, a new turn, the bound on handlers) is left to
// take, which assigns it to the calling worker, and to nextWorker, which chooses the worker.

package loop

// take gives w the next thing to do and reports whether there was one. When it reports false, w
// must step aside for a worker that can go on.
func (l *Loop) take(w *Worker) bool {
	w.mustHold()
	s, bits, fn := l.fetch(l.mayServe(1))
	w.stream, w.bits, w.fn = s, bits, fn
	return s != nil || fn != nil
}

// nextWorker returns the worker that the root is to switch to, or nil when the loop has ended.
func (l *Loop) nextWorker() *Worker {
	for {
		if w, ok := l.runnable.pop(); ok {
			return w
		}
		if l.finished() {
			return nil
		}
		s, bits, fn := l.fetch(l.mayServe(0))
		if s == nil && fn == nil {
			continue
		}
		w := l.spareWorker()
		w.stream, w.bits, w.fn = s, bits, fn
		return w
	}
}

// fetch returns the next stream to serve or function to run. It returns nothing when a waiting
// worker has become runnable first, or when the loop has ended. With serve false it only looks for
// waiting workers and functions: streams go to the backlog, and the caller must ask again after each
// turn.
func (l *Loop) fetch(serve bool) (*Stream, uint32, func(*Worker)) {
	for l.runnable.len() == 0 && !l.ended {
		l.interrupted()
		index, gen, bits, ok := l.poller.event()
		if ok {
			if s := l.arrived(index, gen, bits, serve); s != nil {
				return s, bits, nil
			}
			continue
		}
		if fn, ok := l.functions.next(l.batch); ok {
			return nil, 0, fn
		}
		if serve {
			if j, ok := l.backlog.next(l.batch); ok {
				if s := j.stream; s.queued && s.gen == j.gen && s.state == atRest {
					l.admit(s)
					return s, 0, nil
				}
				continue
			}
		}
		if !l.finished() {
			l.turn(serve)
		}
		if !serve {
			return nil, 0, nil
		}
	}
	return nil, 0, nil
}

// arrived handles an event. It returns the stream that is to be served because of it, if there is
// one and serve allows it.
func (l *Loop) arrived(index, gen, bits uint32, serve bool) *Stream {
	s := l.streams.find(index, gen)
	switch {
	case s == nil:
		l.poller.stray(index, gen)
	case s.state != atRest:
		s.deliver(bits)
	case serve:
		s.queued = false
		return s
	default:
		l.postpone(s, bits)
	}
	return nil
}

// serveArrived makes w serve the streams at rest that events have come for, one after the other, as
// long as nothing else is due first. It is a short cut for what fetch would give w to do.
func (l *Loop) serveArrived(w *Worker) {
	for !w.lost {
		w.mustHold()
		if l.yieldRequested.Load() {
			return
		}
		if l.runnable.len() > 0 || l.ended || !l.mayServe(1) {
			return
		}
		index, gen, bits, ok := l.poller.event()
		if !ok {
			return
		}
		s := l.streams.find(index, gen)
		if s == nil || s.state != atRest {
			l.arrived(index, gen, bits, true)
			continue
		}
		s.queued, s.state, s.worker = false, running, w
		s.task.Serve(w, bits)
	}
}
