// Early answers: what is finished for a stream when a handler begins. It need not be
// sent then, because most handlers end at once and add more to it; but it must not
// wait for one that takes long. So a worker shows it to the loop: when the handler
// loses the loop, leaves it, or waits for something else than its own stream, the
// bytes are sent without it, by a goroutine.
//
// They are claimed once, by one CAS on a word that counts what was shown: by that
// goroutine, or by whoever sends on behalf of the handler, so that nothing overtakes
// them. A goroutine that comes too late finds another count, whatever has been shown
// since, for whichever stream, and touches nothing.

package loop

import (
	"runtime"
	"sync/atomic"
)

type early struct {
	shown bool   // there may be something; the worker's, under the lease's rule
	sent  bool   // a goroutine may have claimed it; the same
	bytes []byte // what was shown last; whose claim has won may look
	count uint64 // of what was shown; as shown
	state atomic.Uint64
	done  Gate // what a goroutine has claimed is sent
}

// The states of what was shown as the n-th: n<<2 with one of these.
const (
	earlyOpen  = iota // not claimed
	earlyTaken        // by the handler's side
	earlyGone         // by a goroutine
)

// ShowEarly shows what is finished for the stream that w is going to serve. The loop
// is held; p must stay as it is until ClaimEarly.
func (w *Worker) ShowEarly(p []byte) {
	e := &w.early
	if e.state.Load()&3 == earlyGone {
		e.settle(w) // what was shown to somebody who has gone without a claim
	}
	e.count++
	e.bytes = p
	e.state.Store(e.count<<2 | earlyOpen)
	e.shown, e.sent = true, false
}

// EarlySent tells whether a goroutine may have claimed what was shown last. The loop
// is held.
func (w *Worker) EarlySent() bool { return w.early.sent }

// ClaimEarly takes back what was shown for s, to be sent by the caller; it reports
// false when it is being sent already, and returns when it is. Waiting for that
// suspends a worker, as other waits do.
func (s *Stream) ClaimEarly() bool {
	e := &s.worker.early
	n := e.state.Load()
	if n&3 == earlyOpen && e.state.CompareAndSwap(n, n|earlyTaken) {
		return true
	}
	e.settle(s.caller())
	return false
}

// settle returns when what a goroutine has claimed is sent. w is the worker that
// calls, nil for a goroutine.
func (e *early) settle(w *Worker) {
	n := e.state.Load()
	if n&3 != earlyGone {
		return
	}
	for !e.done.Opened() {
		if e.done.Wait(w, 0) != nil {
			runtime.Gosched() // the loop is stopping: so is the writing
		}
	}
	e.done.Reset()
	e.state.Store(n&^3 | earlyTaken)
}

// letEarlyGo has a goroutine send what the handler of w should not keep waiting.
func (w *Worker) letEarlyGo() {
	if e := &w.early; e.shown && w.serving != nil {
		e.shown, e.sent = false, true
		go w.serving.sendEarly(e, e.count)
	}
}

// sendEarly sends what was shown for s as the n-th, unless it was claimed.
func (s *Stream) sendEarly(e *early, n uint64) {
	if e.state.CompareAndSwap(n<<2|earlyOpen, n<<2|earlyGone) {
		_, _ = s.Write(e.bytes) // who writes next will get the error too
		e.done.Open()
	}
}
