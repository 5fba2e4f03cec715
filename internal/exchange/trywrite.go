// Writing without waiting (seed: response.write, which returns false when it had to queue). What
// the kernel does not take at once is kept, and sent in the background by a goroutine that lives as
// long as anything is kept. Every other method that sends first takes back what is left, and so
// does the end of the message: nobody else ever writes at the same time as that goroutine.

package exchange

import (
	"errors"
	"sync"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/writer"
)

// ErrFull is returned by TryWrite when it might have to keep more than it may.
var ErrFull = errors.New("gale: TryWrite keeps no more than a mebibyte: Write waits, OnDrain tells when there is room")

// surplusLimit bounds the bytes that TryWrite keeps.
const surplusLimit = 1 << 20

// surplus is what TryWrite could not hand over.
type surplus struct {
	stream *loop.Stream

	mu    sync.Mutex
	bytes []byte
	err   error         // why the sender has ended before all was sent
	drain func()        // see Outgoing.OnDrain
	done  chan struct{} // closed when the sender has ended; nil: there is none
	stop  bool          // it must end
}

// TryWrite is Write without waiting: it reports whether everything is with the kernel. When it is
// not, the rest is kept, up to a bound: when p might not fit, TryWrite takes nothing and returns
// ErrFull. On a stream that cannot tell (Stream.TryWrite) it waits.
func (out *Outgoing) TryWrite(p []byte) (sent bool, err error) {
	switch {
	case out.ended:
		return false, ErrEnded
	case out.err != nil:
		return false, out.err
	case len(p) > surplusLimit || out.surplus.size()+len(p) > surplusLimit:
		return false, ErrFull
	}
	if !out.headDone {
		if err := out.head(h1.Unknown); err != nil {
			return false, err
		}
	}
	var end []byte
	if !out.plan.Body {
		p = nil
	}
	if len(p) > 0 {
		if err := out.count(int64(len(p))); err != nil {
			return false, err
		}
		if out.plan.Framing == h1.Chunked {
			out.buf = writer.AppendChunkHead(out.buf, int64(len(p)))
			end = chunkEnd
		}
		if len(p) <= copyLimit {
			out.buf = append(append(out.buf, p...), end...)
			p, end = nil, nil
		}
	}
	if out.early > 0 {
		out.claim()
	}
	pieces := [...][]byte{out.buf, p, end}
	kept, err := out.surplus.add(pieces)
	if !kept && err == nil {
		kept, err = out.trySend(pieces)
	}
	out.emptied()
	out.fail(err)
	out.waits = kept && err == nil
	return !kept && err == nil, err
}

// trySend sends what the kernel takes of the pieces, and keeps the rest, if any.
func (out *Outgoing) trySend(pieces [3][]byte) (kept bool, err error) {
	for len(pieces[0])+len(pieces[1])+len(pieces[2]) > 0 {
		n, err := out.Stream.TryWriteThree(pieces[0], pieces[1], pieces[2])
		if err != nil {
			return false, err
		}
		if n == 0 {
			if out.surplus == nil {
				out.surplus = new(surplus)
			}
			out.surplus.begin(out.Stream, pieces, out.drained)
			return true, nil
		}
		for i, p := range pieces {
			m := min(n, len(p))
			pieces[i] = p[m:]
			n -= m
		}
	}
	return false, nil
}

// OnDrain registers fn, to be called when what TryWrite has left behind is with the kernel; if what
// it left last is there already, fn is called now, on a goroutine of its own.
func (out *Outgoing) OnDrain(fn func()) {
	if out.drained = fn; out.waits {
		out.surplus.listen(fn)
	}
}

// collect takes back what is kept, to be sent before anything else.
func (out *Outgoing) collect() {
	out.waits = false
	if rest := out.surplus.take(); len(rest) > 0 && out.err == nil {
		out.buf = append(rest, out.buf...)
		out.mark = 0
	}
}

// size returns how many bytes are kept.
func (r *surplus) size() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bytes)
}

// add keeps the pieces behind what is kept, if anything is, and reports whether it did, or why
// nothing can be sent any more.
func (r *surplus) add(pieces [3][]byte) (kept bool, err error) {
	if r == nil {
		return false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		return false, r.err
	}
	r.keep(pieces)
	return true, nil
}

func (r *surplus) keep(pieces [3][]byte) {
	for _, p := range pieces {
		r.bytes = append(r.bytes, p...)
	}
}

// begin keeps the pieces and starts a goroutine that sends them.
func (r *surplus) begin(s *loop.Stream, pieces [3][]byte, drain func()) {
	r.stream, r.drain, r.stop, r.err, r.done = s, drain, false, nil, make(chan struct{})
	r.bytes = r.bytes[:0]
	r.keep(pieces)
	go r.send(r.done)
}

// listen registers fn, to be called when nothing is kept any more.
func (r *surplus) listen(fn func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.drain = fn; fn != nil && r.done == nil && r.err == nil {
		go fn()
	}
}

// send sends what is kept, until nothing is left, sending fails, or it is told to stop.
func (r *surplus) send(done chan struct{}) {
	defer close(done)
	s, err := r.stream, error(nil)
	for {
		n := 0
		r.mu.Lock()
		if err == nil && !r.stop && len(r.bytes) > 0 {
			n, err = s.TryWrite(r.bytes)
			r.bytes = r.bytes[:copy(r.bytes, r.bytes[n:])]
		}
		if err != nil || r.stop || len(r.bytes) == 0 {
			drained, drain := len(r.bytes) == 0, r.drain
			r.done, r.err = nil, err
			r.mu.Unlock()
			if drained && drain != nil {
				go drain()
			}
			return
		}
		r.mu.Unlock()
		if n == 0 {
			err = s.WaitWriter()
		}
	}
}

// take ends the sending and returns what is left.
func (r *surplus) take() []byte {
	r.mu.Lock()
	done := r.done
	if r.stop = done != nil; r.stop {
		r.mu.Unlock()
		r.stream.WakeWriter()
		<-done
		r.mu.Lock()
	}
	rest := r.bytes
	r.bytes, r.err = nil, nil
	r.mu.Unlock()
	return rest
}
