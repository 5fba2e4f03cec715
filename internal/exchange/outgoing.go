// A message going out: fields are collected until the head is sent, then comes a body with back
// pressure. The first body bytes leave together with the head (seed: response.write), each further
// Write leaves by itself, and an answer that is complete at once may leave together with the next
// one.

package exchange

import (
	"errors"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/writer"
)

// Misuse of a message going out. The call that returns one of these sends nothing, except that a
// body of the wrong length cuts the connection.
var (
	ErrHeadSent  = errors.New("gale: the head was sent already")
	ErrEnded     = errors.New("gale: the message was ended already")
	ErrTooLong   = errors.New("gale: more body bytes than the declared Content-Length")
	ErrTooShort  = errors.New("gale: fewer body bytes than the declared Content-Length")
	ErrBadLength = errors.New("gale: the Content-Length that was set is not one number")
	// ErrInterrupted ends a message whose peer has answered before it was complete.
	ErrInterrupted = errors.New("gale: the peer has answered before it was sent everything")
)

// copyLimit is the most body bytes that are copied behind a head or a chunk-size
// line, so that they leave with one plain send.
const copyLimit = 4 << 10

// Outgoing is the message that is going out on a stream. It belongs to whoever
// runs the exchange; Write may be called by one other goroutine at a time while
// the exchange is under way. Its zero value is ready.
type Outgoing struct {
	Stream  *loop.Stream
	Headers writer.Headers
	// Trailers leave behind a chunked body, and nowhere else.
	Trailers writer.Headers
	Date     writer.Date
	// Start appends the start line.
	Start func(dst []byte) []byte
	// Plan decides how the message leaves, given what is known of its body, or returns why it
	// cannot.
	Plan func(r *h1.Reply, p *h1.Plan) error
	// Interrupt, when set, is asked when a send has to wait and there is input. When it
	// reports true, the message ends there with ErrInterrupted.
	Interrupt func() bool

	usual   usualHead
	lone    bool           // all that waits to be sent is the message under way, complete, in usual; INVARIANT: buf is empty
	interim writer.Headers // of the interim response being sent

	drained  func()   // see OnDrain
	surplus  *surplus // what TryWrite has left behind; nil: nothing ever
	later    later    // see Rest
	buf      []byte   // finished bytes that have not been sent
	large    []byte   // what a source is read into when it must be copied; made once
	reply    h1.Reply
	plan     h1.Plan
	sent     int64 // body bytes, without framing
	mark     int   // where in buf the message under way begins
	early    int   // how much of buf others may be sending (early.go)
	NoDate   bool  // leave Date out (seed: response.sendDate)
	headDone bool
	left     bool // some of the message has been sent
	ended    bool
	waits    bool  // the last TryWrite has left something behind, and nobody has taken it back
	err      error // why nothing more of the message can be sent
	failed   bool  // nothing at all can be sent: the stream has failed
}

// Reset makes out ready for the next message. What the last one has left in the buffer is kept.
func (out *Outgoing) Reset() {
	out.Headers.Reset()
	if out.Trailers.Len() > 0 {
		out.Trailers.Reset()
	}
	if out.lone {
		out.gather()
	}
	out.plan.KeepAlive = false // until there is a plan
	out.sent, out.mark = 0, len(out.buf)
	out.NoDate, out.headDone, out.left, out.ended, out.waits = false, false, false, false, false
	if out.drained != nil {
		out.drained = nil
	}
}

// Recall takes the message under way back, so that another can take its place, and reports whether
// that was possible: nothing of it may have been sent.
func (out *Outgoing) Recall() bool {
	if out.left {
		return false
	}
	if out.untilClose() {
		out.Stream.SetIncomplete(false)
	}
	out.buf, out.lone = out.buf[:out.mark], false
	out.Reset()
	return true
}

// HeadSent reports whether the head is on its way (seed: response.headersSent).
func (out *Outgoing) HeadSent() bool { return out.headDone }

// Ended reports whether the message is complete.
func (out *Outgoing) Ended() bool { return out.ended }

// Planned returns how the message leaves, once its head is done.
func (out *Outgoing) Planned() h1.Plan { return out.plan }

// Whole reports whether the message is complete, and HTTP goes on after it.
func (out *Outgoing) Whole() bool { return out.ended && out.plan.KeepAlive && out.err == nil }

// Err returns why nothing more can be sent, nil when it can.
func (out *Outgoing) Err() error { return out.err }

// Break ends the message unfinished: what has not left of it never will. Finished messages before
// it wait for FlushLast.
func (out *Outgoing) Break(err error) {
	if out.surplus != nil {
		out.surplus.take()
	}
	if out.err == nil {
		out.err = err
		out.buf, out.lone = out.buf[:out.mark], false
	}
}

// CutShort reports whether the peer could take what it has got of the message for all of it: the
// message was to end with the connection, and is not complete. The stream knows, and ends with a
// reset.
func (out *Outgoing) CutShort() bool { return out.err != nil && out.untilClose() }

// untilClose reports whether the message ends as its connection does.
func (out *Outgoing) untilClose() bool {
	return out.headDone && out.plan.Framing == h1.UntilClose
}

// fail ends the message because the stream has failed, if err says so.
func (out *Outgoing) fail(err error) {
	if err != nil {
		out.failed = true
		out.Break(err)
	}
}

// FlushLast sends what is ready, for the last time on this stream, even when the message under way
// was broken. Its error is the stream's. With end, which is for streams of a loop, what is sent is
// the end of the stream: see loop.Stream.WriteEnd.
func (out *Outgoing) FlushLast(end bool) error {
	if out.failed {
		return out.err
	}
	err := out.write(end && out.err == nil)
	if err == nil && out.err == nil && out.ended && out.untilClose() {
		err = out.Stream.FinishUntilClose()
		out.fail(err)
	}
	return err
}

// Write sends p as the next piece of the body, after the head if that was not sent, and waits while
// the peer is slow. Bytes that the message cannot have (the answer to a HEAD, a 204, a 304) are
// dropped. It implements io.Writer.
func (out *Outgoing) Write(p []byte) (int, error) {
	if err := out.ready(); err != nil {
		return 0, err
	}
	if !out.headDone {
		if err := out.head(h1.Unknown); err != nil {
			return 0, err
		}
	}
	if !out.plan.Body || len(p) == 0 {
		return len(p), out.Flush()
	}
	if err := out.count(int64(len(p))); err != nil {
		return 0, err
	}
	chunked := out.plan.Framing == h1.Chunked
	if chunked {
		out.buf = writer.AppendChunkHead(out.buf, int64(len(p)))
	}
	if len(p) <= copyLimit {
		out.buf = append(out.buf, p...)
		if chunked {
			out.buf = append(out.buf, writer.ChunkEnd...)
		}
		return out.written(len(p), out.Flush())
	}
	end := chunkEnd
	if !chunked {
		end = nil
	}
	err := out.send(p, end)
	return out.written(len(p), err)
}

var chunkEnd = []byte(writer.ChunkEnd)

func (out *Outgoing) written(n int, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return n, nil
}

// Flush sends what is ready to be sent.
func (out *Outgoing) Flush() error {
	if out.err != nil {
		return out.err
	}
	return out.write(false)
}

func (out *Outgoing) write(end bool) error {
	out.gather()
	if out.surplus != nil {
		out.collect()
	}
	if out.early > 0 {
		out.claim()
	}
	if len(out.buf) == 0 {
		return nil
	}
	if out.Interrupt != nil {
		err := out.push(out.buf)
		out.emptied()
		out.fail(err)
		return err
	}
	var n int
	var err error
	if end {
		n, err = out.Stream.WriteEnd(out.buf)
	} else {
		n, err = out.Stream.Write(out.buf)
	}
	before := out.left
	out.emptied()
	if err != nil {
		out.left = before || n > 0
		out.fail(err)
	}
	return err
}

// FlushHead sends the head without waiting for a body (seed:
// request.flushHeaders).
func (out *Outgoing) FlushHead() error {
	if err := out.ready(); err != nil {
		return err
	}
	if !out.headDone {
		if err := out.head(h1.Unknown); err != nil {
			return err
		}
	}
	return out.Flush()
}

// End completes the message with p as the last piece of its body. When p is all of it, its length
// is declared. What is ready stays in the buffer, up to a bound, to leave with what comes next.
func (out *Outgoing) End(p []byte) error {
	if err := out.ready(); err != nil {
		return err
	}
	if !out.headDone {
		if err := out.head(int64(len(p))); err != nil {
			return err
		}
	}
	if !out.plan.Body {
		p = nil
	}
	if err := out.count(int64(len(p))); err != nil {
		return err
	}
	out.ended = true
	if out.plan.Framing == h1.Length && out.plan.Body && out.sent < out.plan.Length {
		out.Break(ErrTooShort)
		return ErrTooShort
	}
	return out.finish(p)
}

func (out *Outgoing) finish(p []byte) error {
	chunked := out.plan.Framing == h1.Chunked && out.plan.Body
	if chunked && len(p) > 0 {
		out.buf = writer.AppendChunkHead(out.buf, int64(len(p)))
	}
	if len(p) > copyLimit {
		if err := out.send(p, nil); err != nil {
			return err
		}
	} else {
		out.buf = append(out.buf, p...)
	}
	if chunked {
		if len(p) > 0 {
			out.buf = append(out.buf, writer.ChunkEnd...)
		}
		out.buf = writer.AppendLastChunk(out.buf, &out.Trailers)
	}
	if len(out.buf) > BufferSize/2 {
		return out.Flush()
	}
	return nil
}

// ready returns why the message cannot go on, nil when it can.
func (out *Outgoing) ready() error {
	if out.surplus != nil {
		out.collect()
	}
	if out.ended {
		return ErrEnded
	}
	return out.err
}

// count adds n body bytes and checks them against what was declared.
func (out *Outgoing) count(n int64) error {
	out.sent += n
	if out.plan.Body && out.plan.Framing == h1.Length && out.sent > out.plan.Length {
		out.Break(ErrTooLong)
		return ErrTooLong
	}
	return nil
}

// send sends what is ready and the pieces behind it.
func (out *Outgoing) send(p, end []byte) error {
	if out.early > 0 {
		out.claim()
	}
	var err error
	if out.Interrupt != nil {
		if err = out.push(out.buf); err == nil {
			if err = out.push(p); err == nil {
				err = out.push(end)
			}
		}
	} else {
		_, err = out.Stream.WriteThree(out.buf, p, end)
	}
	out.emptied()
	out.fail(err)
	return err
}
