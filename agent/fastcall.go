// The fast path for the most common call: a handler, with its own context, makes a complete
// request without events on a socket that rests on the handler's loop. fastCall does what
// acquire, exchange and receive do, in one go. No application code runs between taking the
// socket and giving it back, so the loop is held all the time. The head of the request is
// often identical to the previous one, which is then sent again as it is.

package agent

import (
	"errors"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
)

// lastSent is a request, head and body, as it was last sent. While what it was made from has
// not changed, it can be sent again.
type lastSent struct {
	bytes   []byte
	head    int    // length of the head in bytes
	edition uint32 // of the target
	fields  uint64 // writer.Headers.State
	lines   int    // writer.Headers.Len
	body    int    // its Content-Length
}

// slowFields are the fields that need handling beyond being sent.
const slowFields uint64 = 1<<bytesparse.FieldContentLength | 1<<bytesparse.FieldTransferEncoding |
	1<<bytesparse.FieldConnection | 1<<bytesparse.FieldExpect | 1<<bytesparse.FieldUpgrade | 1<<bytesparse.FieldTrailer

// plain reports whether the request is complete and has no event functions, other than for
// interim responses, which are rare, and for a switch of protocols, which it does not ask for.
func (q *Request) plain() bool {
	on := &q.On
	return q.Source.Reader == nil && len(q.Body) <= smallBody && !q.out.Headers.HasAny(slowFields) &&
		q.target.method != bytesparse.MethodConnect &&
		on.Socket == nil && on.Continue == nil && on.Response == nil && on.Trace == nil
}

// encoded returns the request as it is sent.
func (q *Request) encoded() []byte {
	u, h := &q.lastSent, &q.out.Headers
	if u.edition != q.target.edition || u.fields != h.State() || u.lines != h.Len() || u.body != len(q.Body) || u.head == 0 {
		plan := h1.PlanRequest(q.target.method, q.target.keepAlive, h1.Reply{Length: h1.Unknown, Body: int64(len(q.Body))})
		dst := exchange.AppendFraming(h.Append(q.startLine(u.bytes[:0])), &plan)
		*u = lastSent{dst, len(dst), q.target.edition, h.State(), h.Len(), len(q.Body)}
	}
	if len(q.Body) == 0 {
		return u.bytes[:u.head]
	}
	u.bytes = append(u.bytes[:u.head], q.Body...)
	return u.bytes
}

// fastCall makes the call and reports whether it has begun: if not, nothing has been sent.
func (r *Response) fastCall(q *Request) (done bool, err error) {
	w, run := r.worker, r.run
	under, held := w.Enter()
	if !held {
		r.worker, r.follows = nil, false
		return false, nil
	}
	n := q.target.lane
	if n == nil || n.loop != w.Loop() || n.origin != r.call.origin {
		n = r.call.origin.laneOf(w.Loop())
		q.target.lane = n
	}
	if first := n.first; first == nil || !first.Raw() || !r.call.origin.local() || w.PeerGone() || run.destroyed.Load() {
		w.Leave(under)
		return false, nil
	}
	c, quiet := n.take(w)
	if !quiet && !c.ProbeNoInput(c.peek[:]) {
		c.drop()
		w.Leave(under)
		return false, nil
	}
	c.Follow(true)
	c.free.Store(false)
	r.conn, r.reused = c, c.used
	c.ReadTimeout, c.WriteTimeout = run.times.response, run.times.write
	r.machine.Reset(h1.Client)
	r.machine.SetRequest(q.target.method)
	r.in.Limits, r.query = &run.limits, q
	r.in.Attach(&c.Stream, &r.machine, nil)
	r.early, r.broken = false, nil
	r.wrote, err = c.Write(q.encoded())
	if err == nil {
		r.sent = true
		err = r.fastReceive()
	}
	w.Leave(under)
	return true, err
}

// errNeedsEvent is returned by fastCall in place of a response when an event function has to be
// called. That is application code, so resumeAfterEvent calls it, without holding the loop, and
// then waits for the response.
var errNeedsEvent = errors.New("an interim response has come")

func (r *Response) resumeAfterEvent(q *Request) error {
	q.On.interim(r)
	return r.receive(q)
}

// fastReceive waits for the head of the response, and gives the socket back if there is no more
// to come. The loop is held.
func (r *Response) fastReceive() error {
	if err := r.in.Await(); err != nil {
		return err
	}
	if r.begun = r.in.Unread() > 0; !r.last.Match(&r.in) {
		for {
			if err := r.nextHead(); err != nil {
				return err
			}
			switch {
			case !r.machine.Interim():
			case r.query.On.Information != nil:
				return errNeedsEvent
			default:
				r.in.Release()
				continue
			}
			break
		}
		r.last.Note(&r.in)
	}
	r.open = true
	if r.machine.Tunnel() {
		return h1.ErrUnasked // it has no Upgrade field, see slowFields
	}
	c := r.conn
	c.used, r.secure = true, nil
	r.keep = r.machine.KeepAlive() && r.query.target.keepAlive
	c.ReadTimeout = r.run.times.read
	r.in.Settle()
	if !r.in.Received() {
		return nil
	}
	keep := r.keep && r.in.Beyond() == 0 && c.NoInputNoted(c.peek[:])
	r.conn = nil
	r.in.Sever(ErrAborted)
	c.Follow(false)
	if keep {
		c.rest()
	} else {
		c.drop()
	}
	return nil
}
