// The guard of a request against goroutines that its handler has started. They may read and write
// in the handler's place, one on each side, until it returns. One word separates them from what
// comes after:
//
//	handler: ─────────────── returns ─ over ─ fails the waits of those inside, awaits them ─ goes on
//	goroutine:  enter ─ Read ─ leave            enter: ErrOver
//
// The handler itself, recognised by its g, writes the word only when it begins and returns, and in
// methods that read. A responder that other goroutines have used is not reused for another request:
// a goroutine that still refers to it finds it over for ever and does no harm.

package engine

import (
	"fmt"
	"io"
	"iter"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
	"github.com/gale-http/gale/pool"
)

// The bits of guard.word.
const (
	reading = 1 << iota // another goroutine is in a method that reads
	writing             // another goroutine is in a method that sends
	foreign             // another goroutine has been in one of those
	over                // no handler is running
	inside              // the handler itself is in a method that reads
	inHook              // the handler has returned; its OnFinish or OnClose may still inspect the request
	taking              // the connection is being taken over, which claims both sides
)

type guard struct {
	word atomic.Uint32
	left chan struct{} // receives once from each goroutine that leaves a method after over was set; made before that
}

// mine reports whether the caller is the handler itself. Where that cannot be found out cheaply it
// reports false to everyone.
func (x *responder) mine() bool { return sys.FastG && x.worker.Mine() }

// enter lets another goroutine use one side, until leave.
func (g *guard) enter(side uint32) error {
	for {
		old := g.word.Load()
		switch {
		case old&over != 0:
			return ErrOver
		case old&side != 0, old&inside != 0 && side&reading != 0:
			return ErrBusy
		}
		next := old | side
		if sys.FastG {
			next |= foreign
		}
		if g.word.CompareAndSwap(old, next) {
			return nil
		}
	}
}

func (g *guard) leave(side uint32) {
	if g.word.And(^side)&over != 0 {
		for range bits.OnesCount32(side & (reading | writing)) {
			g.left <- struct{}{}
		}
	}
}

// trySet sets bits for the handler, which may have returned, unless any of the bits in way are set.
func (g *guard) trySet(set, way uint32) error {
	for {
		old := g.word.Load()
		switch {
		case old&over != 0:
			return ErrOver
		case old&way != 0:
			return ErrBusy
		}
		if g.word.CompareAndSwap(old, old|set) {
			return nil
		}
	}
}

// enterInside begins a method of the handler's that reads, until leaveInside: meanwhile nobody can
// take the connection over.
func (g *guard) enterInside() error { return g.trySet(inside, inside|reading) }

func (g *guard) leaveInside() { g.word.And(^uint32(inside)) }

// exclusively calls take, which takes the connection over, if nobody is in a method of either side.
func (x *responder) exclusively(take func() error) error {
	const all = reading | writing | taking
	g := &x.guard
	if !x.mine() {
		if err := g.enter(all); err != nil {
			return err
		}
		defer g.leave(all)
		return take()
	}
	if err := g.trySet(all, all|inside); err != nil {
		return err
	}
	defer g.word.And(^uint32(all))
	return take()
}

// open begins the use of the request, by its handler and by others.
func (g *guard) open() { g.word.Store(0) }

// end ends that use, and reports whether nobody but the handler had a part in it; otherwise evict
// must follow.
func (g *guard) end() bool { return !pool.Debug && g.word.CompareAndSwap(0, over) }

// evict ends the use of the request by other goroutines, if end could not. It waits for those that
// are inside a method: not for the peer, nor for other user code.
func (x *responder) evict() {
	g := &x.guard
	g.left = make(chan struct{}, 2)
	word := g.word.Or(over | foreign)
	if busy := bits.OnesCount32(word & (reading | writing)); busy > 0 {
		// A connection that was taken over, or is being taken over, is not the server's to bar.
		bar := word&taking == 0 && x.socket == nil
		if bar {
			x.conn.Bar()
		}
		for range busy {
			<-g.left
		}
		if bar {
			x.conn.Unbar()
			x.req.in.Forgive(ErrOver)
		}
	}
	x.worker.Local = nil // a goroutine that still has the request must not meet the next one
}

// replaceResponder makes another responder go on serving the connection.
func (x *responder) replaceResponder() {
	c := x.conn
	if x.res.out.Flush() != nil {
		x.finish(false)
		return
	}
	x.res.out.Detach()
	if c.Portable() {
		c.begun, c.begunShared, c.serveAgain = x.req.in.Detach(x.server.run.shared.Get), true, true
		return
	}
	c.begun, c.begunShared = x.req.in.Detach(localOf(c.Loop()).buffers.Get), false
	c.toRest(true)
}

// check panics, with -tags galedebug, if the request is used after its handler has returned.
func (x *responder) check(what string) {
	if !pool.Debug {
		return
	}
	if word := x.guard.word.Load(); word&over != 0 && (word&inHook == 0 || !x.worker.Mine()) {
		panic(fmt.Sprintf("gale: %s of a request whose handler has returned: request, response and "+
			"their bytes are the handler's until then; what is needed later must be copied", what))
	}
}

// checked is check for an iterator, which may be kept and used too late.
func checked(x *responder, what string, all iter.Seq2[[]byte, []byte]) iter.Seq2[[]byte, []byte] {
	if !pool.Debug {
		return all
	}
	return func(yield func(name, value []byte) bool) {
		x.check(what)
		all(yield)
	}
}

// spoil invalidates, with -tags galedebug, all views of the response's fields.
func (x *responder) spoil() {
	if pool.Debug {
		x.res.out.Headers.Reset()
		x.res.out.Trailers.Reset()
	}
}

// readElsewhere is Read for goroutines other than the handler's.
func (x *responder) readElsewhere(p []byte) (int, error) {
	if err := x.guard.enter(reading); err != nil {
		return 0, err
	}
	defer x.guard.leave(reading)
	return x.req.in.Read(p)
}

// writeElsewhere calls send with p for goroutines other than the handler's.
func (x *responder) writeElsewhere(send func([]byte) (int, error), p []byte) (int, error) {
	if err := x.guard.enter(writing); err != nil {
		return 0, err
	}
	defer x.guard.leave(writing)
	return send(p)
}

// doElsewhere calls send for goroutines other than the handler's.
func (x *responder) doElsewhere(send func() error) error {
	if err := x.guard.enter(writing); err != nil {
		return err
	}
	defer x.guard.leave(writing)
	return send()
}

// pieces are the buffers through which goroutines other than the handler's copy bodies. Such a copy
// enters each side only for a call, so that a wait on either can be failed while the other one
// takes its time.
var pieces = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func copyElsewhere(dst func([]byte) (int, error), src func([]byte) (int, error)) (total int64, err error) {
	piece := pieces.Get().(*[32 << 10]byte)
	defer pieces.Put(piece)
	for {
		n, readErr := src(piece[:])
		if n > 0 {
			m, err := dst(piece[:n])
			total += int64(m)
			if err != nil {
				return total, err
			}
		}
		switch {
		case readErr == io.EOF:
			return total, nil
		case readErr != nil:
			return total, readErr
		}
	}
}

// ErrOver is returned to a goroutine that reads or writes after the handler has returned.
var ErrOver = loop.ErrOver
