// Workers: coroutines whose body is the loop. Workers that stand in their loop frame are
// interchangeable, because the loop's state is not on their stacks; one that waits deep inside a
// handler is resumed by the root when its event comes.

package loop

import (
	"iter"
	"runtime/debug"
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

// Worker is a coroutine that runs a loop. It is passed to the tasks and functions that run on it;
// they must not keep it after they return.
type Worker struct {
	loop *Loop
	// Local holds what the role above keeps per worker: buffers, a request and its response. It
	// belongs to the code that runs on the worker.
	Local any
	// Key is the kind of handler, as the predictor knows it, that runs or is called next; 0 for
	// none.
	Key uint32

	g     atomic.Uintptr // G of its goroutine; 0 once that has ended
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	held           uint64    // the lease word stored by Begin; 0 while the worker itself holds the loop
	gen            uint32    // generation of the lease when the root last switched to it; only with galedebug
	lost           bool      // its loop went to another root: it is an ordinary goroutine
	outsideHandler bool      // lost, and not in user code
	waited         bool      // it has waited on the loop since Begin
	offLoop        bool      // its handler counts among those that run without the loop (Loop.offLoop)
	aside          bool      // its user code is no handler
	groupGoroutine bool      // it never had a loop: it stands for a goroutine of the group's own
	notAwaited     bool      // groupGoroutine, and Stop does not wait for it
	serving        *Stream   // the stream that user code runs for
	own            []*Stream // streams it uses besides serving (own.go); guarded by the loop

	// Only for a goroutine of the pool (handoff.go):
	jobs   chan struct{} // signals that there is something to run; closed to end the goroutine
	began  int64         // when its handler began, moved forward by the time spent in our waits
	timed  bool          // its handler is timed for the predictor
	took   int64         // how long the handler took, in nanoseconds
	gaveUp bool          // its handler asked to leave the loop (GiveUp)

	early early

	self waiter // what it leaves in a stream's word when it waits

	stream *Stream // to be served next: assigned by the root, or by take
	bits   uint32
	fn     func(*Worker) // to be run next: likewise
	link   *Worker       // next in the list of spares or idlers
}

// Loop returns the loop the worker belongs to.
func (w *Worker) Loop() *Loop { return w.loop }

// Unix returns the civil time in seconds: as the loop read it this turn, or, for a worker without a
// loop, from the clock.
func (w *Worker) Unix() int64 {
	if w.lost {
		return wallUnix()
	}
	return w.loop.unix.Load()
}

func newWorker(l *Loop) *Worker {
	w := &Worker{loop: l}
	w.self.worker = w
	w.next, w.stop = iter.Pull(w.run)
	return w
}

// newGoroutineWorker returns a worker that never had a loop to run: it stands for an ordinary
// goroutine where a worker is expected.
func newGoroutineWorker(l *Loop) *Worker {
	w := &Worker{loop: l, lost: true, groupGoroutine: true}
	w.self.worker = w
	return w
}

func (w *Worker) run(yield func(struct{}) bool) {
	w.yield = yield
	w.g.Store(sys.G())
	l := w.loop
	defer func() {
		if value := recover(); value != nil {
			panic(&workerPanic{value, debug.Stack()}) // re-raised on the root, whose own stack tells nothing
		}
		w.enter() // user code that called runtime.Goexit has not given back the lease
		sys.UnlockThread()
		w.g.Store(0) // the runtime may reuse its G for another goroutine
		if w.lost {
			w.doneOffLoop()
			l.release()
		}
	}()
	for {
		switch {
		case w.fn != nil:
			fn := w.fn
			w.fn = nil
			fn(w)
		case w.stream != nil:
			s := w.stream
			w.stream = nil
			s.state, s.worker = running, w
			s.task.Serve(w, w.bits)
		}
		l.serveArrived(w)
		if w.lost {
			return
		}
		if l.take(w) {
			continue
		}
		l.putSpare(w)
		if !yield(struct{}{}) {
			return
		}
	}
}

// suspend lets the loop go on without this worker until someone makes it
// runnable again. The worker must hold the loop, and holds it again afterwards.
func (w *Worker) suspend() {
	w.mustHold()
	if s := w.serving; s != nil && s.state != closed && s.signs.Load()&signUnregistered != 0 {
		s.register() // whatever the worker waits for, a hang-up of the peer must be noticed
	}
	w.loop.suspended++
	w.waited = true
	w.yield(struct{}{})
	w.loop.suspended--
}

// giveWay lets everything run that is ready now, then goes on.
func (w *Worker) giveWay() {
	w.loop.later = append(w.loop.later, w)
	w.suspend()
}

// spareWorker returns a worker that stands in its loop frame.
func (l *Loop) spareWorker() *Worker {
	w := l.spares
	if w == nil {
		l.workers++
		return newWorker(l)
	}
	l.spares, w.link = w.link, nil
	l.spareCount--
	l.spareLow = min(l.spareLow, l.spareCount)
	return w
}

func (l *Loop) putSpare(w *Worker) {
	w.link, l.spares = l.spares, w
	l.spareCount++
}

// trimSpares ends half of the spares that were not needed since the last call.
func (l *Loop) trimSpares() {
	for range l.spareLow / 2 {
		w := l.spares
		l.spares = w.link
		l.spareCount--
		l.workers--
		w.stop()
	}
	l.spareLow = l.spareCount
}
