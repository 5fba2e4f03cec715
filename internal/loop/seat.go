// Seats: how a context leads to the worker that its handler runs on. The context of a served
// connection returns its Seat for the key of this file, and so does every context derived from it.

package loop

import (
	"context"
	"sync/atomic"
)

// Seat leads from a context to the handler of a served stream. Its zero value is empty.
type Seat struct {
	worker atomic.Pointer[Worker]
	stream *Stream
	ctx    context.Context
	done   <-chan struct{} // of ctx
	lend   func()
	hooks  hooks
}

type seatKey struct{}

// Init sets the stream that the seat is for, the context that ends when the stream's peer hangs up,
// and the function that Lend is to call.
func (t *Seat) Init(s *Stream, ctx context.Context, lend func()) {
	t.stream, t.ctx, t.done, t.lend = s, ctx, ctx.Done(), lend
}

// Lend tells the handler that ctx leads to, if any, that a goroutine is going to read something
// that may belong to its request, possibly only after the handler has returned. It must be called
// on behalf of the handler, before that goroutine starts.
func Lend(ctx context.Context) {
	if t, ok := ctx.Value(seatKey{}).(*Seat); ok && t.lend != nil {
		t.lend()
	}
}

// Set records the worker that serves the stream now. Any goroutine of the handler may call it.
func (t *Seat) Set(w *Worker) {
	if t.worker.Load() != w {
		t.worker.Store(w)
	}
}

// IsSeat reports whether key is the one for which a context returns its *Seat.
func IsSeat(key any) bool {
	_, ok := key.(seatKey)
	return ok
}

// Seated returns the calling worker if ctx leads to it and it has not, as far as it knows, lost its
// loop; otherwise nil. follows reports that, while the loop runs, ctx ends exactly when the peer of
// the stream that the worker serves hangs up. own is the seat that ctx leads to, whoever calls, if
// ctx ends exactly when the seat's context does; otherwise nil. It does not allocate.
func Seated(ctx context.Context) (w *Worker, follows bool, own *Seat) {
	t, ok := ctx.Value(seatKey{}).(*Seat)
	if !ok {
		return nil, false, nil
	}
	if ctx.Done() == t.done {
		own = t
	}
	w = t.worker.Load()
	if w == nil || !w.Mine() || w.lost {
		return nil, false, own
	}
	return w, own != nil && w.serving == t.stream, own
}

// Follow makes the waits of s, a stream of its worker's own, end with ErrOver once the peer of the
// stream that the worker serves hangs up; with false it no longer does. The loop must be held.
func (s *Stream) Follow(on bool) {
	if on {
		s.signs.Or(signFollows)
		return
	}
	s.signs.And(^uint32(signFollows))
}

// hungUp bars the worker's own streams that follow the served one, whose peer has hung up. The loop
// must be held.
func (w *Worker) hungUp() {
	for _, s := range w.own {
		if s.signs.Load()&signFollows != 0 {
			s.signs.Or(signBarred)
			w.loop.wakeOrMark(&s.input)
			w.loop.wakeOrMark(&s.output)
		}
	}
}
