// Writing without waiting (seed: response.write, which returns false when it had to
// queue). What the kernel does not take at once is kept and sent behind the back of
// whoever wrote it, by a goroutine that lives as long as there is any. Every other
// method that sends first takes back what is left, and so does the end of the
// message: nobody else ever writes beside that goroutine.

package exchange

import (
	"errors"
	"sync"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/writer"
)

// ErrFull is returned by TryWrite when so much is kept that it takes no more.
var ErrFull = errors.New("gale: too much waits to be sent: Write waits, OnDrain tells when")

// surplusLimit bounds the bytes that TryWrite keeps.
const surplusLimit = 1 << 20

// surplus is what TryWrite could not hand over.
type surplus struct {
	stream *loop.Stream

	mu    sync.Mutex
	bytes []byte
	err   error         // why the sender has ended before all was sent
	drain func()        // see Outgoing.Drained
	done  chan struct{} // closed when the sender has ended; nil: there is none
	stop  bool          // it is to end
}

// TryWrite is Write that does not wait: it reports whether all is with the kernel.
// When it is not, the rest was kept, up to a bound: beyond that, TryWrite takes
// nothing and returns ErrFull. On a stream that cannot tell (Stream.TryWrite) it
// waits.
func (out *Outgoing) TryWrite(p []byte) (sent bool, err error) {
	switch {
	case out.ended:
		return false, ErrEnded
	case out.err != nil:
		return false, out.err
	case out.surplus.size()+len(p) > surplusLimit && out.surplus.size() > 0:
		return false, ErrFull
	}
	if !out.headDone {
		if err := out.head(h1.Unknown); err != nil {
			return false, err
		}
	}
	if out.plan.Body && len(p) > 0 {
		if err := out.count(int64(len(p))); err != nil {
			return false, err
		}
		chunked := out.plan.Framing == h1.Chunked
		if chunked {
			out.buf = writer.AppendChunkHead(out.buf, int64(len(p)))
		}
		out.buf = append(out.buf, p...)
		if chunked {
			out.buf = append(out.buf, writer.ChunkEnd...)
		}
	}
	if out.early > 0 {
		out.claim()
	}
	if kept, err := out.surplus.add(out.buf); kept || err != nil {
		out.emptied()
		out.fail(err)
		return false, err
	}
	return out.tryFlush()
}

// tryFlush sends what the kernel takes and keeps the rest.
func (out *Outgoing) tryFlush() (sent bool, err error) {
	rest := out.buf
	for len(rest) > 0 {
		n, err := out.Stream.TryWrite(rest)
		if err != nil {
			out.emptied()
			out.fail(err)
			return false, err
		}
		if rest = rest[n:]; n == 0 {
			break
		}
	}
	if len(rest) > 0 {
		if out.surplus == nil {
			out.surplus = new(surplus)
		}
		out.surplus.begin(out.Stream, rest, out.Drained)
	}
	out.emptied()
	return len(rest) == 0, nil
}

// collect takes back what is kept, to be sent before anything else.
func (out *Outgoing) collect() {
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

// add keeps p behind what is kept, if anything is, and reports whether it did, or why
// nothing can be sent any more.
func (r *surplus) add(p []byte) (kept bool, err error) {
	if r == nil {
		return false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		return false, r.err
	}
	r.bytes = append(r.bytes, p...)
	return true, nil
}

// begin keeps p and has it sent.
func (r *surplus) begin(s *loop.Stream, p []byte, drain func()) {
	r.stream, r.drain, r.stop, r.err, r.done = s, drain, false, nil, make(chan struct{})
	r.bytes = append(r.bytes[:0], p...)
	go r.send(r.done)
}

// send sends what is kept, until that is nothing, it fails or it is told to stop.
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
		r.stream.ProdWriter()
		<-done
		r.mu.Lock()
	}
	rest := r.bytes
	r.bytes, r.err = nil, nil
	r.mu.Unlock()
	return rest
}
