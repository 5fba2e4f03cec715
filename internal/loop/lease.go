// The lease: who may run the loop. One word, on a cache line of its own:
//
//	63 ........ 32 | 31 ........ 1 |    0
//	  generation   |   sequence    | inHandler
//
// Before it calls user code, a worker stores generation, the next sequence and inHandler;
// afterwards it clears the bit with a CAS. While the bit is set, the watchdog may advance the
// generation, which ends the worker's right to the loop for good; while it is clear, nobody may.
// Hence the lease's rule:
//
// While inHandler is set, code called by a handler touches only its worker's own memory and its own
// stream. Code that needs the loop enters first (the CAS), does its work, and leaves (the store).
// When the CAS fails, the worker is an ordinary goroutine from then on, and everything it calls
// takes the shared, slower way.

package loop

import (
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
	"github.com/gale-http/gale/pool"
)

const (
	inHandler     = 1
	seqShift      = 1
	genShift      = 32
	cacheLineSize = 64
)

type lease struct {
	_    [cacheLineSize]byte
	word atomic.Uint64
	g    atomic.Uintptr // G of the worker under the lease
	_    [cacheLineSize - 16]byte
}

func leaseWord(gen, seq uint32) uint64 {
	return uint64(gen)<<genShift | uint64(seq)<<seqShift&(1<<genShift-1)
}

// Begin puts the worker under the lease's rule: from here on user code runs, on behalf of s, and
// the loop may be taken away at any moment. The worker must hold the loop, or have lost it.
func (w *Worker) Begin(s *Stream) {
	if w.lost {
		w.beginOffLoop()
		return
	}
	w.serving, w.waited = s, false
	w.grantLease()
}

// BeginAside is Begin for user code that is no handler and is not counted as one, until End.
func (w *Worker) BeginAside(s *Stream) {
	if !w.lost { // else the watchdog, which took the loop away, may still be reading aside
		w.aside = true
	}
	w.Begin(s)
}

// beginOffLoop is Begin for a worker without a loop.
func (w *Worker) beginOffLoop() {
	w.outsideHandler = false
	switch {
	case w.jobs != nil:
		w.began, w.timed = monotonic(), w.Key != 0
	case w.groupGoroutine && !w.notAwaited:
		w.notAwaited = true
		w.loop.group.stopWait.leave()
	}
}

// End takes the loop back after user code and reports whether it was still there. When it reports
// false, the worker is an ordinary goroutine for good: it must give its stream back with
// Stream.Return, and end.
func (w *Worker) End() bool {
	if w.enter() {
		w.early.shown, w.aside = false, false
		if sys.MaybeLocked() {
			sys.UnlockThread() // user code may have left the thread locked; see Enter
		}
		return true
	}
	w.outsideHandler = true
	if w.timed {
		w.took += monotonic() - w.began
	}
	if w.notAwaited {
		w.notAwaited = !w.loop.group.enter() // once stopped, the group does not take it back
	}
	return false
}

// Lost reports whether the worker has noticed that its loop is gone.
func (w *Worker) Lost() bool { return w.lost }

// Mine reports whether the calling goroutine is the worker's. Any goroutine may call it.
func (w *Worker) Mine() bool { return sys.G() == w.g.Load() }

// Enter takes the loop for a moment, until Leave(under), for work that needs it, waits included.
// held is false when the loop is gone for good, and then there is nothing to leave. This is also so
// for user code that has locked its OS thread: it gives the lease up. Only the worker itself may
// call Enter (Mine), from user code or from our own, which holds the loop anyway.
func (w *Worker) Enter() (under, held bool) {
	under = w.held != 0
	if !w.enter() {
		return under, false
	}
	if under && sys.Locked() { // a coroutine that is locked to a thread must not be switched away from
		w.surrender()
		return under, false
	}
	return under, true
}

// Leave puts the worker back under the lease's rule after Enter.
func (w *Worker) Leave(under bool) { w.leave(under) }

// enter takes the loop for a moment from inside user code; our own code, which
// holds it anyway, may call it as well. Only the worker itself may call it. It
// reports false when the loop is gone.
func (w *Worker) enter() bool {
	switch {
	case w.lost:
		return false
	case w.held == 0:
		return true
	case w.loop.lease.word.CompareAndSwap(w.held, w.held&^inHandler):
		w.held = 0
		return true
	}
	w.lost, w.held, w.offLoop = true, 0, true
	return false
}

// mustHold panics, with -tags galedebug, when w goes on as if it held the loop although another
// root has it.
func (w *Worker) mustHold() {
	if pool.Debug && w.gen != uint32(w.loop.lease.word.Load()>>genShift) {
		panic("gale: a worker that has lost its loop goes on running it")
	}
}

// leave puts the worker back under the lease's rule, if it was under it when it entered.
func (w *Worker) leave(under bool) {
	if !under {
		return
	}
	w.grantLease()
}

// grantLease lets user code run under the next word of the lease, on behalf of w, the holder.
func (w *Worker) grantLease() {
	l := w.loop
	if l.holder != w {
		l.holder = w
		l.lease.g.Store(w.g.Load())
	}
	word := l.word>>genShift<<genShift | uint64(uint32(l.word)+1<<seqShift)
	l.word, w.held = word, word
	l.lease.word.Store(word)
}
