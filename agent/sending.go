// Sending a body beside the answer to it. A server may answer before it has all of a body,
// refuse the rest, or send back as much as it is sent: whoever waits until the body is sent
// waits for ever then. So a body that may have to wait, for the server or for its Source, is
// sent by a goroutine of its own, while the caller reads the answer:
//
//	between ──▶ busy ──▶ between …          it writes; between, it touches nothing of the call
//	   │          │└──▶ over                all was sent, or nothing more can be
//	   │          └───▶ leaving ──▶ over    it has been told to end, and does so soon
//	   └───▶ stopped                        a Read of Source may still wait: it finds out when that returns
//
// A ClientRequest writes itself; the phases stand between that and who reads the answer.

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
	phase  atomic.Uint32
	doomed atomic.Bool // the call cannot go on
	vain   atomic.Bool // the server does not want the rest
	err    error       // why not all was sent; to be read when it is over
	left   loop.Gate   // opened when it is over
	cut    bool        // its writes do not wait any more; of who reads the answer
	trace  *Trace
	empty  int // Reads of Source in a row that have brought nothing

	out      loop.Gate // opened when no Read of Source is under way, nor will be
	from     *Response // the Source, when it is an answer; and the use of its socket
	socket   *conn
	use      uint64
	request  *Request
	conn     *conn
	trailers int          // of the request: those behind came with the body
	ended    atomic.Int64 // when it was over, by loop.Millis
}

const (
	between = iota
	busy
	leaving
	over
	stopped
)

// lastWords is how long patience lasts, in milliseconds.
const lastWords = 50

// emptyReads is how many Reads in a row may bring nothing, as in package bufio.
const emptyReads = 100

// sendRooms are what bodies are read into.
var sendRooms = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// beside has the body sent by a goroutine: from, or Body. The head has been sent, or
// planned.
func (r *Response) beside(q *Request, from io.Reader) {
	s := &sender{request: q, conn: r.conn, trace: r.trace, trailers: q.out.Trailers.Len()}
	switch m := from.(type) {
	case *Response:
		if m.conn != nil {
			s.from, s.socket, s.use = m, m.conn, m.conn.ticket.Load()&^ticketState
			m.feeds = s
		}
	}
	if m, ok := from.(Message); ok && m.Received().Lend != nil {
		m.Received().Lend()
	}
	loop.Lend(r.ctx) // Source may have to do with the handler's request, whatever it is
	r.sending(s)
	q.sends, r.reads = r, s
	go s.run(from)
}

// sending notes that s sends while the answer is read. What time the server has for its
// answer begins when all was sent.
func (r *Response) sending(s *sender) {
	r.sender = s
	r.conn.Forgive(func(read bool) bool {
		if !read || s.doomed.Load() {
			return false
		}
		return s.phase.Load() < over || loop.Millis()-s.ended.Load() < int64(s.conn.ReadTimeout)-2
	})
}

// run sends the body: what from gives, or, without it, what is left of Body.
func (s *sender) run(from io.Reader) {
	defer s.out.Open()
	if from == nil {
		if s.enter() {
			s.end(s.request.out.Rest())
		}
		return
	}
	room := sendRooms.Get().(*[32 << 10]byte)
	defer sendRooms.Put(room)
	for {
		if s.phase.Load() == stopped {
			return
		}
		n := 0
		err := guarded(func() (err error) {
			n, err = from.Read(room[:])
			return err
		}, func(err error) {
			if s.enter() {
				s.end(&sourceError{err})
			}
		})
		if !s.enter() {
			return
		}
		if s.vain.Load() && err != io.EOF {
			s.end(errNotSent)
			return
		}
		if err = s.putGuarded(room[:], n, from, err); err != nil || s.request.out.Ended() {
			s.end(err)
			return
		}
		if !s.leave() {
			return
		}
	}
}

// putGuarded is put of n bytes of p on a goroutine of the agent's: the Source may tell nonsense,
// and its trailers are its own.
func (s *sender) putGuarded(p []byte, n int, from io.Reader, read error) (err error) {
	if failed := guarded(func() error {
		err = s.put(p[:n], from, read)
		return nil
	}, func(err error) { s.end(&sourceError{err}) }); failed != nil {
		return &sourceError{failed}
	}
	return err
}

// put sends what a Read has brought, and the end of the message if that was the end.
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

// enter begins to touch what is the call's; false tells that nobody wants that.
func (s *sender) enter() bool { return s.phase.CompareAndSwap(between, busy) }

// again makes it ready to send once more.
func (s *sender) again() {
	s.phase.Store(between)
	s.doomed.Store(false)
	s.vain.Store(false)
	s.err, s.cut, s.empty = nil, false, 0
	s.left.Reset()
}

// leave ends it for a while, or, with false, for good.
func (s *sender) leave() bool {
	if s.phase.CompareAndSwap(busy, between) {
		return true
	}
	s.end(errNotSent)
	return false
}

// end ends it for good: all was sent, or err is why not.
func (s *sender) end(err error) {
	if s.hurried(err) {
		err = errNotSent
	}
	s.err = err
	defer func() {
		if s.err != nil && !hopeful(s.err) {
			s.doomed.Store(true)
			s.conn.SetReadDeadline(past)
		}
		s.ended.Store(loop.Millis())
		s.phase.Store(over)
		s.left.Open()
	}()
	if s.trace == nil {
		return
	}
	if failed := guarded(func() error {
		s.trace.wroteRequest(err)
		return nil
	}, func(error) {}); failed != nil && s.err == nil {
		s.err = &sourceError{failed}
	}
}

// hopeful tells whether there may be an answer although err has ended the sending: the
// server closed the connection, as one does that refuses a body.
func hopeful(err error) bool { return err == errNotSent || stale(err) }

var errNotSent = errors.New("the body was not sent to its end")

// stop ends the sending if that is under way, and reports whether all was sent. Reads of
// Source are not waited for. wait is how long to wait first, in milliseconds; w the worker
// that calls, if one does.
func (s *sender) stop(w *loop.Worker, wait int64) (sent bool) {
	if wait > 0 && s.phase.Load() < leaving {
		_ = s.left.Wait(w, wait)
	}
	for !s.phase.CompareAndSwap(between, stopped) {
		if phase := s.phase.Load(); phase == over {
			break
		} else if phase == busy && s.phase.CompareAndSwap(busy, leaving) {
			s.hurry()
			for s.phase.Load() != over {
				if s.left.Wait(w, 0) != nil {
					w = nil // the loop is ending: it is not waited with
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

// hurry ends a write that waits, and the waits of those to come.
func (s *sender) hurry() {
	s.cut = true
	s.conn.SetWriteDeadline(past)
}

// hurried tells whether err is what hurry has ended a write with.
func (s *sender) hurried(err error) bool {
	return err != nil && (s.vain.Load() || s.phase.Load() == leaving) && errors.Is(err, loop.ErrTimeout)
}

// refuse has no more sent of a body that the server does not want. What is nearly sent may
// be.
func (s *sender) refuse() {
	s.vain.Store(true)
	s.hurry()
}

// patience is how long an answer that is complete waits for its request to be sent, so that
// the socket can be kept, in milliseconds.
func (s *sender) patience() int64 {
	if s.vain.Load() {
		return lastWords / 10
	}
	return lastWords
}

// retrieve ends the reading of an answer as the Source of another request, which has been
// stopped or is now, so that the answer is its owner's again.
func (r *Response) retrieve() {
	w := r.worker
	if w != nil && !w.Mine() {
		w = nil
	}
	s := r.feeds
	r.feeds = nil
	s.phase.CompareAndSwap(between, stopped)
	for !s.out.Opened() {
		s.socket.cut(s.use)
		if s.out.Wait(w, lastWords) == loop.ErrClosed {
			w = nil
		}
	}
}

// unsend ends the sending, if that is under way, and notes what has become of it; with
// patience it may come to its end first.
func (r *Response) unsend(patience bool) {
	s := r.sender
	if s == nil {
		return
	}
	w, wait := r.worker, int64(0)
	if w != nil && !w.Mine() {
		w = nil
	}
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

// blame returns why a call has failed: err, or what has ended the sending before.
func (r *Response) blame(err error) error {
	r.unsend(false)
	if e := r.unsent; e != nil && e != errNotSent {
		return e
	}
	return err
}
