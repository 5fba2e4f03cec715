// Early answers: output that is finished for a stream when a handler begins. It need not be sent at
// once, because most handlers end soon and add more to it; but it must not wait for one that takes
// long. So a worker shows it to the loop: when the handler loses the loop, leaves it, or waits for
// anything but its own stream, a goroutine sends the bytes for it.
//
// The bytes are claimed once, by one CAS on a word that counts what was shown: by that goroutine,
// or by whoever sends on behalf of the handler, so that nothing overtakes them. A goroutine that
// comes too late finds another count, whatever has been shown since, for whichever stream, and
// touches nothing.

package loop

import (
	"runtime"
	"sync/atomic"

	"github.com/gale-http/gale/internal/sys"
)

type early struct {
	shown bool   // there may be something to claim; the worker's, under the lease's rule
	sent  bool   // a goroutine may have claimed it; likewise
	bytes []byte // what was shown last; only the winner of the claim may read it
	count uint64 // how many times something was shown; the worker's, likewise
	state atomic.Uint64
	done  Gate // opened when what a goroutine has claimed is sent
}

// The states of what was shown as the n-th: n<<2 and one of these.
const (
	earlyOpen  = iota // not claimed
	earlyTaken        // by the handler's side
	earlyGone         // by a goroutine
)

// ShowEarly shows p, which is finished for the stream that w is going to serve. The loop must be
// held; p must stay as it is until ClaimEarly.
func (w *Worker) ShowEarly(p []byte) {
	e := &w.early
	if e.state.Load()&3 == earlyGone {
		e.settle(w) // shown to a handler that has ended without a claim
	}
	e.count++
	e.bytes = p
	e.state.Store(e.count<<2 | earlyOpen)
	e.shown, e.sent = true, false
}

// EarlySent reports whether a goroutine may have claimed what was shown last. The loop
// is held.
func (w *Worker) EarlySent() bool { return w.early.sent }

// ClaimEarly takes back what was shown for s, to be sent by the caller. When a goroutine is sending
// it already, ClaimEarly returns false once it is sent. Waiting for that suspends a worker, as
// other waits do.
func (s *Stream) ClaimEarly() bool {
	e := &s.worker.early
	n := e.state.Load()
	if n&3 == earlyOpen && e.state.CompareAndSwap(n, n|earlyTaken) {
		return true
	}
	e.settle(s.caller())
	return false
}

// settle returns when what a goroutine has claimed is sent. w is the calling worker, nil for a
// goroutine.
func (e *early) settle(w *Worker) {
	n := e.state.Load()
	if n&3 != earlyGone {
		return
	}
	for !e.done.Opened() {
		if e.done.Wait(w, 0) != nil {
			runtime.Gosched() // the loop is stopping, so the write is about to end
		}
	}
	e.done.Reset()
	e.state.Store(n&^3 | earlyTaken)
}

// sendEarlyAsync starts a goroutine that sends what the handler of w should not keep waiting.
func (w *Worker) sendEarlyAsync() {
	if e := &w.early; e.shown && w.serving != nil {
		e.shown, e.sent = false, true
		go w.serving.sendEarly(e, e.count)
	}
}

// sendEarly sends what was shown for s as the n-th, unless it was claimed.
func (s *Stream) sendEarly(e *early, n uint64) {
	if e.state.CompareAndSwap(n<<2|earlyOpen, n<<2|earlyGone) {
		_, err := s.Write(e.bytes)
		if _, stays := err.(sys.Errno); err != nil && !stays { // the next writer gets the kernel's errors too
			s.CutShort()
		}
		e.done.Open()
	}
}
