// The body of a message coming in: waited for, handed out, drained.

package exchange

import (
	"io"
	"math"

	"github.com/gale-http/gale/internal/h1"
)

// Done reports whether the body has been read to its end: bytes that the machine has seen and nobody
// has read still belong to the body.
func (in *Incoming) Done() bool { return in.done && in.pending == 0 }

// Left returns how many bytes are sure to follow until the end of the body: 0 only when it has been
// read to its end, and math.MaxInt64 when it is broken. It is for messages with a body, and may be
// called while another goroutine reads.
func (in *Incoming) Left() int64 { return in.left.Load() }

// Declared returns the declared length of the body, 0 when none was declared.
func (in *Incoming) Declared() int64 {
	if in.Conn.Framing() != h1.Length {
		return 0
	}
	return in.Conn.BodyRead() + in.Conn.Remaining()
}

// AtHand returns how many bytes of the body Read is sure to return without waiting. Where no length
// was declared, it counts only what is decoded already. It is for the reader.
func (in *Incoming) AtHand() int {
	if in.Conn.Framing() != h1.Length {
		return in.pending
	}
	return in.pending + int(min(in.Conn.Remaining(), int64(in.end-in.start-in.pending)))
}

// note updates Left.
func (in *Incoming) note() {
	left := int64(in.pending) + in.Conn.Remaining()
	switch {
	case in.err != nil:
		left = math.MaxInt64
	case left == 0 && !in.done:
		left = 1 // between two chunks
	}
	in.left.Store(left)
}

// Read reads the body, waiting for it as needed; io.EOF is its end. Errors are those of the machine
// (*h1.Error) and of the stream; later calls return them again.
func (in *Incoming) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, in.err
	}
	n, err := in.read(p)
	in.note()
	return n, err
}

func (in *Incoming) read(p []byte) (int, error) {
	for {
		switch {
		case in.pending > 0:
			n := copy(p, in.buf[in.start:in.start+in.pending])
			in.start += n
			in.pending -= n
			return n, nil
		case in.done:
			return 0, io.EOF
		case in.err != nil:
			return 0, in.err
		}
		if in.start == in.end && len(p) >= directRead && in.Conn.Remaining() > 0 && !in.eof {
			return in.readDirect(p, true)
		}
		if n, ok := in.decode(p); n > 0 {
			return n, nil
		} else if !ok {
			in.step()
		}
	}
}

// decode copies what has arrived of a chunked body to p, many chunks at a time.
// It reports false when the machine has to make a step of another kind.
func (in *Incoming) decode(p []byte) (n int, ok bool) {
	if in.Conn.Framing() != h1.Chunked {
		return 0, false
	}
	n, used, err := in.Conn.Decode(p, in.buf[in.start:in.end], in.Limits)
	in.start += used
	in.err = err
	return n, used > 0 || err != nil
}

// WriteTo writes what is left of the body to w, a small body straight from the read buffer. It
// implements io.WriterTo.
func (in *Incoming) WriteTo(w io.Writer) (int64, error) {
	for total := int64(0); ; {
		if in.roomy() {
			n, err := in.writeRooms(w)
			if total += n; err != nil {
				return total, err
			}
		}
		piece, err := in.piece()
		if len(piece) > 0 {
			n, err := w.Write(piece)
			if total += int64(n); err != nil {
				return total, err
			}
		}
		switch {
		case err == io.EOF:
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

// piece returns the next bytes of the body: a view, valid until the next call.
func (in *Incoming) piece() ([]byte, error) {
	if in.pending == 0 && in.start == in.end && in.Conn.Remaining() > BufferSize {
		if in.large == nil {
			in.large = make([]byte, largeSize)
		}
		n, err := in.Read(in.large)
		return in.large[:n], err
	}
	for in.pending == 0 && !in.done && in.err == nil {
		dst := in.buf[in.start:] // in place
		if n, ok := in.decode(dst); n > 0 {
			in.note()
			return dst[:n], nil
		} else if !ok {
			in.step()
		}
	}
	view := in.buf[in.start : in.start+in.pending]
	in.start += in.pending
	in.pending = 0
	in.note()
	switch {
	case len(view) > 0:
		return view, nil
	case in.done:
		return nil, io.EOF
	}
	return nil, in.err
}

// ErrSlow is the error of a body that comes too slowly.
var ErrSlow error = &h1.Error{Status: 408, Msg: "the body comes too slowly", Offset: -1}

// receive reads more of the body from the stream and judges how fast it comes: by the time spent
// waiting, so that a slow reader is not held against the sender. With wait false it returns 0 and
// no error when there is nothing now.
func (in *Incoming) receive(p []byte, wait bool) (n int, err error) {
	if wait {
		n, err = in.Stream.Read(p)
	} else {
		n, err = in.Stream.TryReadLent(p)
	}
	if in.waited += in.Stream.TakeWaited(); in.waited > in.Grace && in.Rate > 0 && err == nil &&
		in.waited-in.Grace > (in.Conn.BodyRead()+int64(n))*1000/in.Rate {
		return 0, ErrSlow
	}
	return n, err
}

// readDirect reads body bytes into p, past the buffer, which must be empty. wait is as in receive.
func (in *Incoming) readDirect(p []byte, wait bool) (int, error) {
	if left := in.Conn.Remaining(); int64(len(p)) > left {
		p = p[:left]
	}
	if in.BeforeBody != nil {
		if in.err = in.BeforeBody(); in.err != nil {
			return 0, in.err
		}
	}
	n, err := in.receive(p, wait)
	switch {
	case n > 0:
		_, _, in.err = in.Conn.Next(p[:n], false, nil, in.Limits)
		in.done = in.Conn.Done()
		return n, nil
	case in.noteEOF(err):
		_, _, in.err = in.Conn.Next(nil, true, nil, in.Limits)
	default:
		in.err = err
	}
	return 0, in.err
}

// step advances the machine by one event, or reads when the machine needs more.
func (in *Incoming) step() {
	n, ev, err := in.Conn.Next(in.buf[in.start:in.end], in.eof, &in.trailers, in.Limits)
	switch {
	case err != nil:
		in.err = err
		return
	case ev == h1.NeedMore:
		in.err = in.readMore()
		return
	case ev == h1.Data:
		in.pending = n
		in.done = in.Conn.Done()
		return
	case ev == h1.Trailers:
		in.section = in.buf[in.start : in.start+n]
	case ev == h1.End:
		in.done = true
	}
	in.start += n
}

// readMore waits for more of the body and puts it behind the head.
func (in *Incoming) readMore() error {
	if in.BeforeBody != nil {
		if err := in.BeforeBody(); err != nil {
			return err
		}
	}
	in.makeBodyRoom()
	n, err := in.receive(in.buf[in.end:], true)
	in.end += n
	if in.noteEOF(err) {
		return nil
	}
	return err
}

// makeBodyRoom makes room for body bytes while the head stays where it is. What is unused by then
// is a piece of framing at most.
func (in *Incoming) makeBodyRoom() {
	unused := in.buf[in.start:in.end]
	switch {
	case len(in.buf)-in.base >= bodyRoom+len(unused):
		if in.start < in.end && in.end < len(in.buf) {
			return
		}
		in.start, in.end = in.base, in.base+copy(in.buf[in.base:], unused)
	case &in.buf[0] != &in.own[0] && len(in.own) >= bodyRoom+len(unused):
		in.buf, in.base, in.start, in.end = in.own, 0, 0, copy(in.own, unused)
	default:
		grown := make([]byte, max(BufferSize, 2*len(unused)))
		in.buf, in.base, in.start, in.end = grown, 0, 0, copy(grown, unused)
	}
}

// Forgive makes in readable again if err is what made it unreadable.
func (in *Incoming) Forgive(err error) {
	if in.err == err {
		in.err = nil
		in.note()
	}
}

// Err returns why the body cannot be read on, nil when it can.
func (in *Incoming) Err() error { return in.err }

// Drain drops what is left of the body and reports whether its end was reached; if not, nothing
// that follows can be told from the body. It drops no more than limit bytes of one message, over
// all calls, and begins nothing that would take more. With wait false it stops where it would have
// to wait.
func (in *Incoming) Drain(limit int64, wait bool) bool {
	for !in.Done() && in.err == nil && in.dropped+int64(in.pending) <= limit-in.Conn.Remaining() {
		if in.pending > 0 {
			in.drop(in.pending)
			in.pending = 0
			continue
		}
		n, ev, err := in.Conn.Next(in.buf[in.start:in.end], in.eof, &in.trailers, in.Limits)
		in.drop(n)
		switch {
		case err != nil:
			in.err = err
		case ev == h1.NeedMore && !wait:
			return false
		case ev == h1.NeedMore:
			in.err = in.readMore()
		}
		in.done = in.done || ev == h1.End || ev == h1.Data && in.Conn.Done()
	}
	return in.Done()
}

func (in *Incoming) drop(n int) {
	in.start += n
	in.dropped += int64(n)
}
