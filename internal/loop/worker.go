// Workers: coroutines whose body is the loop. Any worker that stands in its loop
// frame is as good as any other, because the loop's state is not on its stack;
// one that waits deep in a handler is resumed by the root when its event comes.

package loop

import (
	"iter"
	"runtime/debug"
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

// Worker is a coroutine that runs a loop. It is handed to tasks and functions
// that run on it; they must not keep it longer than they run.
type Worker struct {
	loop *Loop
	// Local is whatever the role above keeps with a worker: buffers, a request
	// and its response. It belongs to the code that runs on the worker.
	Local any
	// Key is the kind of handler that is called next, or runs, as the predictor
	// knows it; 0 for none.
	Key uint32

	g     atomic.Uintptr // its goroutine; 0 once it has ended
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool

	held    uint64    // the lease word stored by Begin; 0 while it holds the loop
	gen     uint32    // of the lease when it was last switched to; only with galedebug
	lost    bool      // its loop went to another root: it is an ordinary goroutine
	past    bool      // lost, and not in user code
	waited  bool      // it has waited on the loop since Begin
	off     bool      // its handler is counted among those without the loop
	alone   bool      // it never had a loop: a goroutine of the group's own
	away    bool      // alone, and Stop does not wait for it
	serving *Stream   // what user code runs for
	own     []*Stream // that it has beside serving (own.go); the loop's

	// Of a goroutine of the pool (handoff.go):
	jobs  chan struct{} // says that there is something to run; closed at its end
	began int64         // when its handler did, moved on by the time spent in waits of ours
	timed bool          // it is timed, for the predictor
	took  int64         // what it has taken
	asked bool          // it wanted to leave the loop

	early early

	self waiter // what it leaves in a stream's word when it waits

	stream *Stream // assigned by the root, to serve
	bits   uint32
	fn     func(*Worker) // assigned by the root, to run
	link   *Worker       // next spare
}

// Loop returns the loop the worker belongs to.
func (w *Worker) Loop() *Loop { return w.loop }

// Unix returns the civil time in seconds: the loop's, read once a turn; to a worker
// without a loop, the clock's.
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

// newGoroutineWorker returns a worker that never had a loop to run: it stands
// for an ordinary goroutine where a worker is asked for.
func newGoroutineWorker(l *Loop) *Worker {
	w := &Worker{loop: l, lost: true, alone: true}
	w.self.worker = w
	return w
}

func (w *Worker) run(yield func(struct{}) bool) {
	w.yield = yield
	w.g.Store(sys.G())
	l := w.loop
	defer func() {
		if value := recover(); value != nil {
			panic(&workerPanic{value, debug.Stack()}) // on the root, whose stack tells nothing
		}
		w.enter() // user code that ended its goroutine is done with the lease
		sys.UnlockThread()
		w.g.Store(0) // another goroutine may get it
		if w.lost {
			w.backOff()
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
	if s := w.serving; s != nil && s.state != closed && s.signs.Load()&signUnseen != 0 {
		s.show() // whatever it waits for: a hang-up is to be heard of
	}
	w.loop.suspended++
	w.waited = true
	w.yield(struct{}{})
	w.loop.suspended--
}

// giveWay lets everything run that is ready by now, then goes on.
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

// trimSpares ends half of the spares that nobody has needed since the last
// call.
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
