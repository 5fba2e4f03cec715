// Seats: how a context leads to the worker that its handler runs on. The context of
// a served connection answers to the key of this file with its Seat, and so does
// every context derived from it.

package loop

import (
	"context"
	"sync/atomic"
)

// Seat is the place of a served stream's handler. Its zero value is empty.
type Seat struct {
	worker atomic.Pointer[Worker]
	stream *Stream
	ctx    context.Context
	done   <-chan struct{} // of ctx
	lend   func()
	hooks  hooks
}

type seatKey struct{}

// Init says which stream the seat is of, the context that ends when the peer of the stream
// hangs up, and what Lend is to call.
func (t *Seat) Init(s *Stream, ctx context.Context, lend func()) {
	t.stream, t.ctx, t.done, t.lend = s, ctx, ctx.Done(), lend
}

// Lend tells the handler that ctx leads to, if it does, that a goroutine is going to read
// what may have to do with its request, and may begin that when it has returned. The
// handler calls it before there is such a goroutine.
func Lend(ctx context.Context) {
	if t, ok := ctx.Value(seatKey{}).(*Seat); ok && t.lend != nil {
		t.lend()
	}
}

// Set notes who serves the stream now. Any goroutine of the handler may call it.
func (t *Seat) Set(w *Worker) {
	if t.worker.Load() != w {
		t.worker.Store(w)
	}
}

// IsSeat tells whether key is the one to which a context answers with its *Seat.
func IsSeat(key any) bool {
	_, ok := key.(seatKey)
	return ok
}

// Seated returns the worker that calls, when ctx leads to it and it has not lost its
// loop, as far as it knows, else nil. follows tells that ctx ends when the peer of
// the stream that the worker serves hangs up, and not otherwise while the loop runs. own is
// the seat that ctx leads to, whoever calls, when ctx ends just when that of the seat does,
// else nil. It does not allocate.
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

// Follow has the waits of s, an own stream of its worker, end with ErrOver once the
// peer of the stream that the worker serves hangs up. The loop must be held.
func (s *Stream) Follow(on bool) {
	if on {
		s.signs.Or(signFollows)
		return
	}
	s.signs.And(^uint32(signFollows))
}

// hungUp tells the own streams of the worker that follow the one served that its peer
// has gone. The loop must be held.
func (w *Worker) hungUp() {
	for _, s := range w.own {
		if s.signs.Load()&signFollows != 0 {
			s.signs.Or(signBarred)
			w.loop.signal(&s.input)
			w.loop.signal(&s.output)
		}
	}
}
