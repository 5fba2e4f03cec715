// Sending a body concurrently with the response. A server may respond before it has received
// the whole body, refuse the rest, or send back as much as it is sent; a client that first
// sends the whole body would then wait for ever. So a body that may have to wait, for the
// server or for its Source, is sent by a goroutine of its own while the caller reads the
// response:
//
//	between ──▶ busy ──▶ between …          it writes; in between, it touches nothing of the call
//	   │          │└──▶ over                all was sent, or nothing more can be
//	   │          └───▶ leaving ──▶ over    it has been told to end, and will soon
//	   └───▶ stopped                        a Read of Source may still be waiting: it finds out when that returns
//
// A ClientRequest is written by its caller; the phases then synchronise the writer with the
// goroutine that reads the response.

package agent

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gale-http/gale/internal/loop"
)

type sender struct {
	phase   atomic.Uint32
	failed  atomic.Bool // the call cannot go on
	refused atomic.Bool // the server does not want the rest
	err     error       // why not all was sent; valid once the phase is over
	done    loop.Gate   // opened when the phase is over
	cut     bool        // its writes no longer wait; owned by the goroutine that reads the response
	trace   *Trace
	empty   int // number of consecutive Reads of Source without data

	readDone loop.Gate // opened when no Read of Source is in progress, nor will be
	from     *Response // the Source, if that is a Response; socket and use are those it was received on
	socket   *conn
	use      uint64
	request  *Request
	conn     *conn
	trailers int          // number of the request's trailers; later ones came with the body
	ended    atomic.Int64 // when the phase became over, in loop.Millis
}

const (
	between = iota
	busy
	leaving
	over
	stopped
)

// drainWait is how long patience lasts, in milliseconds.
const drainWait = 50

// emptyReads is how many consecutive Reads may return no data, as in package bufio.
const emptyReads = 100

// sendRooms holds the buffers that bodies are read into.
var sendRooms = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// sendConcurrently starts a goroutine that sends the body: from, or Body if from is nil. The head
// has been sent or prepared.
func (r *Response) sendConcurrently(q *Request, from io.Reader) {
	s := &sender{request: q, conn: r.conn, trace: r.trace, trailers: q.out.Trailers.Len()}
	switch m := from.(type) {
	case *Response:
		if m.conn != nil {
			s.from, s.socket, s.use = m, m.conn, m.conn.ticket.Load()&^ticketState
			m.sourceOf = s
		}
	}
	if m, ok := from.(Message); ok && m.Received().Lend != nil {
		m.Received().Lend()
	}
	loop.Lend(r.ctx) // Source, whatever it is, may read from the handler's request
	r.sending(s)
	q.sends, r.reads = r, s
	go s.run(from)
}

// sending records that s is sending while the response is read. The server's time to respond
// begins when all has been sent.
func (r *Response) sending(s *sender) {
	r.sender = s
	r.conn.Forgive(func(read bool) bool {
		if !read || s.failed.Load() {
			return false
		}
		return s.phase.Load() < over || loop.Millis()-s.ended.Load() < int64(s.conn.ReadTimeout)-2
	})
}

// run sends the body: the data read from from or, if that is nil, the rest of Body.
func (s *sender) run(from io.Reader) {
	defer s.readDone.Open()
	broken := func(err error) {
		if from != nil {
			err = &sourceError{err}
		}
		s.broken(err)
	}
	if err := guarded("sending the body", func() error {
		if from == nil {
			if s.enter() {
				s.end(s.request.out.Rest())
			}
			return nil
		}
		room := sendRooms.Get().(*[32 << 10]byte)
		defer sendRooms.Put(room)
		for s.pass(from, room[:]) {
		}
		return nil
	}, broken); err != nil {
		broken(err)
	}
}

// pass reads from the Source once and sends what it has read. It reports whether there is more
// to do.
func (s *sender) pass(from io.Reader, room []byte) (more bool) {
	if s.phase.Load() == stopped {
		return false
	}
	n, err := from.Read(room)
	if !s.enter() {
		return false
	}
	if s.refused.Load() && err != io.EOF {
		err = errNotSent
	} else {
		err = s.put(room[:n], from, err) // a faulty Source may return a bad n
	}
	if err != nil || s.request.out.Ended() {
		s.end(err)
		return false
	}
	return s.leave()
}

// broken ends the sending after a panic or runtime.Goexit, in a Read of the Source or in put.
func (s *sender) broken(err error) {
	switch phase := s.phase.Load(); {
	case phase != busy && phase != leaving && !s.enter(): // in a Read, which nobody waits for
	case s.refused.Load():
		s.end(errNotSent)
	default:
		s.end(err)
	}
}

// put sends the result of a Read, and the end of the message if the Read reported that.
func (s *sender) put(p []byte, from io.Reader, read error) error {
	q := s.request
	if s.empty++; len(p) > 0 {
		s.empty = 0
		if _, err := q.out.Write(p); err != nil {
			return err
		}
	}
	switch {
	case read == nil && s.empty >= emptyReads:
		return &sourceError{io.ErrNoProgress}
	case read == nil:
		return nil
	case read != io.EOF:
		return &sourceError{read}
	}
	if err := q.takeTrailers(from); err != nil {
		return &sourceError{err}
	}
	return q.finish()
}

// finish sends the end of a message whose body has been sent.
func (q *Request) finish() error {
	if err := q.out.End(nil); err != nil {
		return err
	}
	return q.out.Flush()
}

// enter begins an operation on the call's state; false means that the sending was ended.
func (s *sender) enter() bool { return s.phase.CompareAndSwap(between, busy) }

// reset makes s ready to send once more.
func (s *sender) reset() {
	s.phase.Store(between)
	s.failed.Store(false)
	s.refused.Store(false)
	s.err, s.cut, s.empty = nil, false, 0
	s.done.Reset()
}

// leave ends the operation. When it returns false, the sending is over.
func (s *sender) leave() bool {
	if s.phase.CompareAndSwap(busy, between) {
		return true
	}
	s.end(errNotSent)
	return false
}

// end ends the sending: with a nil err all was sent, otherwise err says why not.
func (s *sender) end(err error) {
	if s.interrupted(err) {
		err = errNotSent
	}
	s.err = err
	defer func() {
		if s.err != nil && !mayRespond(s.err) {
			s.failed.Store(true)
			s.conn.interrupt(false)
		}
		s.ended.Store(loop.Millis())
		s.phase.Store(over)
		s.done.Open()
	}()
	if s.trace == nil {
		return
	}
	if failed := guarded("sending the body", func() error {
		s.trace.wroteRequest(err)
		return nil
	}, func(error) {}); failed != nil && s.err == nil {
		s.err = &sourceError{failed}
	}
}

// mayRespond reports whether there may be a response although sending failed with err: the server
// may have closed the connection because it refuses the body.
func mayRespond(err error) bool { return err == errNotSent || stale(err) }

var errNotSent = errors.New("the body was not sent to its end")

// stop ends the sending if that is in progress, and reports whether all was sent. It waits up
// to wait milliseconds for the sending to complete, but not for Reads of Source. w is the
// calling worker, if there is one.
func (s *sender) stop(w *loop.Worker, wait int64) (sent bool) {
	if wait > 0 && s.phase.Load() < leaving {
		_ = s.done.Wait(w, wait)
	}
	for !s.phase.CompareAndSwap(between, stopped) {
		if phase := s.phase.Load(); phase == over {
			break
		} else if phase == busy && s.phase.CompareAndSwap(busy, leaving) {
			s.interrupt()
			for s.phase.Load() != over {
				if s.done.Wait(w, 0) != nil {
					w = nil // the loop is ending: the worker cannot wait on it
					runtime.Gosched()
				}
			}
			break
		}
	}
	if sent = s.phase.Load() == over && s.err == nil; sent && s.cut {
		s.conn.SetWriteDeadline(time.Time{})
	}
	return sent
}

// interrupt ends a write in progress that waits; later writes do not wait.
func (s *sender) interrupt() {
	s.cut = true
	s.conn.SetWriteDeadline(past)
}

// interrupted reports whether err was caused by interrupt.
func (s *sender) interrupted(err error) bool {
	return err != nil && (s.refused.Load() || s.phase.Load() == leaving) && errors.Is(err, loop.ErrTimeout)
}

// refuse stops the sending of a body that the server does not want. If only the last piece is
// left, it may still be sent.
func (s *sender) refuse() {
	s.refused.Store(true)
	s.interrupt()
}

// patience is how long, in milliseconds, a complete response waits for its request to be
// sent, so that the socket can be kept.
func (s *sender) patience() int64 {
	if s.refused.Load() {
		return drainWait / 10
	}
	return drainWait
}

// releaseSource ends the use of r as the Source of another request, whose sending has been stopped
// or is stopped here, so that r is its owner's again.
func (r *Response) releaseSource() {
	w, s := r.here(), r.sourceOf
	r.sourceOf = nil
	s.phase.CompareAndSwap(between, stopped)
	for !s.readDone.Opened() {
		s.socket.cut(s.use)
		if s.readDone.Wait(w, drainWait) == loop.ErrClosed {
			w = nil
		}
	}
}

// stopSending ends the sending, if that is in progress, and records the outcome. With patience it
// is first given some time to complete.
func (r *Response) stopSending(patience bool) {
	s := r.sender
	if s == nil {
		return
	}
	w, wait := r.here(), int64(0)
	if patience {
		wait = s.patience()
	}
	r.sender = nil
	r.sent = s.stop(w, wait)
	if s.phase.Load() == over {
		r.unsent = s.err
	}
	s.conn.Forgive(nil)
	if q := s.request; q != nil {
		q.sends = nil
		q.out.Trailers.Truncate(s.trailers)
	}
}

// causeOf returns the cause of a failed call: the error that ended the sending, or else err.
func (r *Response) causeOf(err error) error {
	r.stopSending(false)
	if e := r.unsent; e != nil && e != errNotSent {
		return e
	}
	return err
}
