// Where handlers run: on the loop that has read the request, or on a goroutine from the start; and
// counting how many ran where.

package engine

import (
	"hash/maphash"

	"github.com/gale-http/gale/internal/loop"
)

// Dispatch says where handlers start. Whatever its value, a handler that blocks the loop for longer
// than two to three milliseconds loses it, and continues as a goroutine.
type Dispatch uint8

const (
	// Auto starts handlers on the loop, except those of a kind (method and first path segment) that
	// has been found to block.
	Auto Dispatch = iota
	// Inline starts every handler on the loop.
	Inline
	// Goroutine starts every handler on a pooled goroutine.
	Goroutine
)

// Stats counts how the handlers of a server have run, each handler once.
type Stats struct {
	Inline    uint64 // on the loop, without a wait
	Suspended uint64 // on the loop, with at least one wait for their peer there
	HandedOff uint64 // on goroutines: because of Dispatch, because Auto expected them to block, or on the portable driver
	TakenOver uint64 // began on the loop and lost it, or left it with Block
}

// Stats returns how the server's handlers have run so far. It may be called at any time; handlers
// that ended within the current turn of a loop may be missing.
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

// Block leaves the event loop for good: the handler continues as an ordinary goroutine, which costs
// about as much as starting one. A handler that knows it is about to block, or to compute for long,
// spares its loop the time until that would be detected. If most handlers of a kind call it, Auto
// starts that kind on goroutines. On a goroutine it does nothing.
func (r *Request) Block() {
	r.x.check("Block")
	if w := r.x.worker; w.Mine() {
		w.GiveUp()
	}
}

// handshakeKind stands in for the method in the kind of TLS handshakes: they are all of one kind.
const handshakeKind = 0xff

// expectLongHandshake reports whether the handshake that is about to begin should be handed off.
func (x *responder) expectLongHandshake() bool {
	return !x.conn.Portable() && x.worker.Loop().Predicts() && x.worker.Expect(kindOf(x.server.run.seed, handshakeKind, nil))
}

// segmentMost is how many bytes of a path's first segment count.
const segmentMost = 32

// expectBlock reports whether the request under way should be handed off.
func (x *responder) expectBlock() bool {
	return x.worker.Expect(kindOf(x.server.run.seed, byte(x.req.in.Head.Method), x.req.URL()))
}

// kindOf returns the key by which the predictor tells kinds of handlers apart: a hash of the method
// and the first segment of the path. Whole paths often contain identifiers and never repeat.
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

// pathOf returns what follows the first slash of a target's path.
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

// handOff lets a pooled goroutine answer the request under way.
func (x *responder) handOff() {
	if x.res.out.Flush() != nil { // earlier answers must not wait for it
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
		x.evict()
	}
	w.End()
	x.conclude()
}
