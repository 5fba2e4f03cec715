// Shared streams: sockets that belong to no worker, and to no goroutine for good, such as those
// that a client keeps between requests. They stay registered with their loop, whoever uses them;
// one word says who that is:
//
//	busy ──Offer──▶ idle ──Claim──▶ busy      a user, on any goroutine
//	                 ││ └──deadline, Stop──▶ dead     the loop
//	                 │└──event──▶ probed ──▶ dead, or idle again
//
// A busy stream is its user's: the loop only tells it what happens. An idle one is the loop's: when
// anything happens on it, it becomes dead and its task is told to Stop. Each way out of idle is one
// CAS, so that a stream is used or closed, never both.

package loop

import (
	"runtime"

	"github.com/gale-http/gale/internal/sys"
)

// The phases of a shared stream: bits of its signs.
const (
	busy    = iota << phaseShift
	idle    // free for whoever claims it
	dead    // the loop closes it
	moved   // its socket has gone to another loop
	failing // the loop is cutting it
	probed  // the loop is asking the kernel whether anything has come

	phaseShift = 16
	phaseMask  = 7 << phaseShift
)

// casPhase moves the stream from one phase to another, and reports whether it was in the first.
func (s *Stream) casPhase(from, to uint32) bool {
	for {
		signs := s.signs.Load()
		if signs&phaseMask != from {
			return false
		}
		if s.signs.CompareAndSwap(signs, signs&^phaseMask|to) {
			return true
		}
	}
}

// Share makes s, the caller's own or at rest, a shared stream in use. The loop must be
// held.
func (s *Stream) Share() {
	s.disown()
	l := s.loop
	l.refs.Add(1) // for users that outlive the loop; the caller's reference keeps it above 0
	l.orphans++
	s.state, s.worker, s.queued, s.movedIn, s.movedOut = shared, nil, false, 0, 0
	s.signs.And(^uint32(phaseMask)) // busy
}

// Shared reports whether s is a shared stream. The loop must be held.
func (s *Stream) Shared() bool { return s.state == shared }

// unshare undoes Share. The loop is held.
func (s *Stream) unshare() {
	s.loop.orphans--
	s.state = running
	s.loop.release()
}

// Offer makes a shared stream free to be claimed, and reports whether it did: by then the stream
// may have been claimed, or closed by the loop. Otherwise it is still the user's, who must check
// whether something has come in (NoInputNoted).
func (s *Stream) Offer() bool {
	if s.eventNoted() {
		return false
	}
	for !s.casPhase(busy, idle) {
		runtime.Gosched() // the loop is about to end, and is cutting it
	}
	return !s.eventNoted() || !s.Claim() // an event may have come just before it became idle
}

// eventNoted reports whether something has happened that its user did not wait for.
func (s *Stream) eventNoted() bool {
	return s.signs.Load()&(signHangUp|signFailed|signBarred) != 0 || s.input.Load() == ready
}

// NoInputNoted reports whether the stream is alive and nothing has come in that was not read. Its owner
// may call it, between reads. scratch has room for a byte or more. Over a net.Conn it only knows
// what the stream has been told of.
func (s *Stream) NoInputNoted(scratch []byte) bool {
	for !s.portable && s.Ready() {
		s.Look()
		if n, err := s.TryRead(scratch); n > 0 || err != nil {
			return false
		}
	}
	return s.signs.Load()&(signHangUp|signFailed|signBarred) == 0
}

// ProbeNoInput asks the kernel whether the stream is alive and nothing has come in, not even part of a
// TLS record: what has come already cannot be the answer to a request that is not sent yet. It is
// for whoever has just got the stream, and is about to use it.
func (s *Stream) ProbeNoInput(scratch []byte) bool {
	if s.portable {
		return !s.eventNoted() && s.transport.probeNoInput(scratch)
	}
	s.Look()
	return s.NoInputNoted(scratch) && !s.Partial()
}

// Barred reports whether no wait may begin on the stream.
func (s *Stream) Barred() bool { return s.signs.Load()&signBarred != 0 }

// Look makes the next TryRead ask the kernel, whatever the last read has found: input that nobody
// waited for may have been reported. Whoever may read may call it.
func (s *Stream) Look() {
	if s.input.Load() == ready {
		s.input.CompareAndSwap(ready, nil)
	}
	s.drained = false
}

// Claim makes a shared stream the caller's. It reports false when the loop has closed
// it. Any goroutine may call it.
func (s *Stream) Claim() bool {
	for !s.casPhase(idle, busy) {
		switch s.signs.Load() & phaseMask {
		case idle: // idle again just now: retry
		case probed:
			runtime.Gosched() // a system call later it is idle or dead
		default:
			return false
		}
	}
	return true
}

// Kill makes an idle shared stream dead, for the loop to close. The loop must be
// held. It reports false when the stream is in use.
func (s *Stream) Kill() bool { return s.state == shared && s.casPhase(idle, dead) }

// handleIdleEvent handles an event of s that is shared and idle, and otherwise reports false: the event is
// for a user. The stream becomes dead, unless the event was fetched before the last user read what
// it is about. The loop must be held.
func (s *Stream) handleIdleEvent(bits uint32) bool {
	if s.state != shared || bits&^outputBits == 0 || !s.casPhase(idle, probed) {
		return false
	}
	if bits&hangUpBits == 0 && s.ProbeNoBytes() {
		s.casPhase(probed, idle)
		return true
	}
	s.casPhase(probed, dead)
	s.task.Stop()
	return true
}

// ProbeNoBytes reports whether nothing has come from the kernel since the last read, whatever the loop
// may have been told of since. When it reports false, something may have been lost, and the stream
// must not be used any more. The caller must have the stream, which has a descriptor, to itself.
// Unlike NoInputNoted it calls no user code.
func (s *Stream) ProbeNoBytes() bool {
	s.Look()
	var one [1]byte
	_, e := sys.Recv(int(s.fd), one[:])
	return e == sys.EAGAIN && s.signs.Load()&(signHangUp|signFailed|signBarred) == 0
}

// Reclaim makes a shared stream in use the own stream of w, which holds the loop; the
// stream must be of that loop.
func (s *Stream) Reclaim(w *Worker) {
	s.unshare()
	s.Take(w)
}

// Move makes s, closed, a stream of w's own, with the socket of from: a shared stream of another
// loop, in use by the caller. The registration moves with it: the new loop reports again whatever
// has happened on the socket that nobody has seen, and events that the old loop has already fetched
// are dropped. The old loop then calls then, as after Hand, with from, which no longer has a
// socket. w must hold its loop. When Move fails, from is as before.
func (s *Stream) Move(w *Worker, from *Stream, task Task, then func(Task)) error {
	old := from.loop
	for !from.casPhase(busy, moved) {
		runtime.Gosched() // the old loop is about to end, and is cutting it
	}
	fd := int(from.fd)
	old.poller.remove(fd)
	if err := s.Open(w.loop, fd, task); err != nil {
		if old.poller.add(fd, from.token()) != nil {
			from.signs.Or(signFailed)
		}
		from.outputArm = false // it was lost with the first registration
		from.casPhase(moved, busy)
		return err
	}
	s.transport = from.transport
	if s.transport != nil {
		s.transport.wire.stream.Store(s)
	}
	s.Take(w)
	s.signs.Or(from.signs.Load() & signsOfSocket)
	from.transport, from.fd = nil, -1
	from.Hand(then)
	return nil
}

// Fail makes every wait on s, whoever waits, end with ErrClosed, and cuts the connection. The loop
// must be held, and the stream not closed.
func (s *Stream) Fail() {
	if s.state != shared {
		s.fail()
		return
	}
	if s.casPhase(busy, failing) {
		s.fail()
		s.casPhase(failing, busy)
	}
}

// Resting reports whether the stream is at rest. The loop must be held.
func (s *Stream) Resting() bool { return s.state == atRest }

// Closed reports whether the stream is closed. The loop must be held.
func (s *Stream) Closed() bool { return s.state == closed }

// SetDue makes the task of a shared stream Expire at the tick due, unless another SetDue moves
// that. The loop must be held.
func (s *Stream) SetDue(due int64) { s.loop.wheel.set(s, due) }
