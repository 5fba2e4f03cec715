// What waits to be sent: the stream that it is for, and the bytes, all of which are in the buffer,
// except for an answer that waits alone (whole.go).

package exchange

import "github.com/gale-http/gale/internal/loop"

// Attach makes out write to s.
func (out *Outgoing) Attach(s *loop.Stream) {
	out.Reserve()
	out.Stream, out.err, out.failed = s, nil, false
}

// Reserve allocates the memory of out. Afterwards, and after Detach or Part, Attach has only Stream
// left to set.
func (out *Outgoing) Reserve() {
	if out.buf == nil {
		out.buf = make([]byte, 0, BufferSize)
	}
}

// Detach ends the use of the stream. What was not sent is dropped.
func (out *Outgoing) Detach() {
	if out.early > 0 || len(out.buf) > 0 || cap(out.buf) > BufferSize {
		out.empty()
	}
	out.Stream, out.lone, out.err, out.failed = nil, false, nil, false
	out.headDone = false // the end of the last message is not that of the next stream
}

func (out *Outgoing) empty() {
	if out.early > 0 {
		out.claim() // nobody writes to the stream once it is given up
	}
	if out.buf = out.buf[:0]; cap(out.buf) > BufferSize {
		out.buf = nil
		out.Reserve()
	}
}

// Append puts finished bytes behind what waits to be sent.
func (out *Outgoing) Append(p []byte) {
	out.gather()
	out.buf = append(out.buf, p...)
}

// Take returns what waits to be sent, for the caller to send at once.
func (out *Outgoing) Take() []byte {
	if out.early > 0 {
		out.claim()
	}
	out.gather()
	p := out.buf
	out.emptied()
	return p
}

// Part ends the use of the stream, until out is attached to another, and returns what waits to be
// sent, for the caller to send at once. When there is more to do than that, it reports false and
// has done nothing: see Flush and Detach.
func (out *Outgoing) Part() (p []byte, ok bool) {
	if out.err != nil || out.surplus != nil || out.early > 0 || cap(out.buf) > BufferSize {
		return nil, false
	}
	if out.lone {
		out.lone = false
		return out.usual.bytes, true
	}
	p = out.buf
	out.buf = out.buf[:0]
	return p, true
}

func (out *Outgoing) emptied() {
	out.buf, out.mark = out.buf[:0], 0
	out.left = out.left || out.headDone
}

// Buffered returns how many bytes wait to be sent.
func (out *Outgoing) Buffered() int {
	out.gather()
	return len(out.buf)
}
