// Where handlers run: on the loop that has read the request, or on a goroutine of
// their own from the beginning; and how many ran where.

package engine

import (
	"hash/maphash"

	"github.com/gale-http/gale/internal/loop"
)

// Dispatch is where handlers begin. Whatever it says, a handler that blocks on the
// loop for longer than two to three milliseconds loses it, and goes on as a goroutine.
type Dispatch uint8

const (
	// Auto begins handlers on the loop, except those of a kind (method and first
	// path segment) that have been seen to block.
	Auto Dispatch = iota
	// Inline begins every handler on the loop.
	Inline
	// Goroutine begins every handler on a goroutine of a pool.
	Goroutine
)

// Stats is how the handlers of a server have run, each counted once.
type Stats struct {
	Inline    uint64 // on the loop, without a wait
	Suspended uint64 // on the loop, and waited there for their peer
	HandedOff uint64 // on goroutines: Dispatch, what Auto expected of them, or a driver without loops
	TakenOver uint64 // lost the loop, or left it with Block
}

// Stats returns how the server's handlers have run so far. It may be called at any
// time; what has ended within the last turn of a loop may be missing.
func (s *Server) Stats() Stats {
	s.run.mu.Lock()
	group := s.run.group
	s.run.mu.Unlock()
	var sum Stats
	if group == nil {
		return sum
	}
	for _, l := range group.Loops() {
		sum.Inline += l.Tally(loop.Inline)
		sum.Suspended += l.Tally(loop.Suspended)
		sum.HandedOff += l.Tally(loop.HandedOff)
		sum.TakenOver += l.Tally(loop.TakenOver)
	}
	return sum
}

// Block leaves the event loop for good: the handler goes on as an ordinary goroutine,
// which costs about what starting one does. A handler that knows that it is going to
// block, or to compute for long, spares its loop the time after which it would
// be found out. When most handlers of a kind call it, Auto begins them on goroutines.
// On a goroutine it does nothing.
func (r *Request) Block() {
	r.x.check("Block")
	if w := r.x.worker; w.Mine() {
		w.GiveUp()
	}
}

// shakingHands is what handshakes of TLS are told apart by, in the place of a method: they
// are all of one kind.
const shakingHands = 0xff

// expectLongShake reports whether the handshake that is about to begin should be handed off.
func (x *responder) expectLongShake() bool {
	return !x.conn.Portable() && x.worker.Loop().Predicts() && x.worker.Expect(kindOf(x.server.run.seed, shakingHands, nil))
}

// segmentMost is how much of a path's first segment is looked at.
const segmentMost = 32

// expectBlock reports whether the request under way should be handed off.
func (x *responder) expectBlock() bool {
	return x.worker.Expect(kindOf(x.server.run.seed, byte(x.req.in.Head.Method), x.req.URL()))
}

// kindOf is what handlers are told apart by when they are expected to block: the
// method and the first segment of the path. Whole paths, with numbers in them, never
// come again.
func kindOf(seed maphash.Seed, method byte, target []byte) uint32 {
	var kind [1 + segmentMost]byte
	kind[0] = method
	n := 1
	for _, c := range pathOf(target) {
		if c == '/' || c == '?' || n == len(kind) {
			break
		}
		kind[n] = c
		n++
	}
	return uint32(maphash.Bytes(seed, kind[:n])) | 1
}

// pathOf returns what follows the slash at which the path of a target begins.
func pathOf(target []byte) []byte {
	if len(target) > 0 && target[0] == '/' {
		return target[1:]
	}
	slashes := 0 // absolute-form: the third one
	for i, c := range target {
		if c == '/' {
			if slashes++; slashes == 3 {
				return target[i+1:]
			}
		}
	}
	return nil
}

// handOff has the request under way answered by a goroutine.
func (x *responder) handOff() {
	if x.res.out.Flush() != nil { // what was answered before must not wait for it
		x.finish(false)
		return
	}
	x.worker.CountHandOff()
	x.worker.HandOff(&x.conn.Stream, runHandedOff)
}

func runHandedOff(w *loop.Worker) {
	x := responderOf(w)
	w.Begin(&x.conn.Stream)
	if !x.call() {
		return
	}
	if !x.guard.end() {
		x.settle()
	}
	w.End()
	x.conclude()
}
