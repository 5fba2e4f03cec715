// Early answers: what is finished for a stream when a handler begins. It need not be
// sent then, because most handlers end at once and add more to it; but it must not
// wait for one that takes long. So a worker shows it to the loop: when the handler
// loses the loop, leaves it, or waits for something else than its own stream, the
// bytes are sent without it, by a goroutine.
//
// They are claimed, once, under a lock: by that goroutine, which keeps it until they
// are sent, or by whoever sends on behalf of the handler, so that nothing overtakes
// them.

package loop

import "sync"

type early struct {
	shown bool // there may be something; the worker's, under the lease's rule
	sent  bool // a goroutine may have claimed it; the same
	mu    sync.Mutex
	bytes []byte // not claimed yet
}

// ShowEarly shows what is finished for the stream that w is going to serve. The loop
// is held; p must stay as it is until ClaimEarly.
func (w *Worker) ShowEarly(p []byte) {
	e := &w.early
	e.mu.Lock()
	e.bytes = p
	e.mu.Unlock()
	e.shown, e.sent = true, false
}

// EarlySent tells whether a goroutine may have claimed what was shown last. The loop
// is held.
func (w *Worker) EarlySent() bool { return w.early.sent }

// ClaimEarly takes back what was shown for s, to be sent by the caller; it reports
// false when it is being sent already, and returns when it is.
func (s *Stream) ClaimEarly() bool {
	e := &s.worker.early
	e.mu.Lock()
	defer e.mu.Unlock()
	mine := e.bytes != nil
	e.bytes = nil
	return mine
}

// letEarlyGo has a goroutine send what the handler of w should not keep waiting.
func (w *Worker) letEarlyGo() {
	if e := &w.early; e.shown && w.serving != nil {
		e.shown, e.sent = false, true
		go w.serving.sendEarly(e)
	}
}

func (s *Stream) sendEarly(e *early) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.bytes; p != nil {
		e.bytes = nil
		_, _ = s.Write(p) // who writes next will get the error too
	}
}
