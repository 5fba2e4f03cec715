// The message coming in when it is an answer: it is waited for, and its stream is wanted back as
// soon as nothing of the message is left there.

package exchange

import "github.com/gale-http/gale/internal/h1"

// Await reads more of the stream into the buffer, waiting for it. The end of the stream is noted,
// for Next to judge, and is no error.
func (in *Incoming) Await() error {
	if in.start == in.end {
		in.start, in.end = 0, 0
	} else if in.end == len(in.buf) {
		in.makeRoom()
	}
	n, err := in.Stream.Read(in.buf[in.end:])
	in.end += n
	if !in.eof && in.noteEOF(err) {
		return nil
	}
	return err
}

// Settle takes a body of declared length that has arrived with its head, so that nothing of the
// message is left in the stream.
func (in *Incoming) Settle() {
	if left := in.Conn.Remaining(); !in.done && left > 0 && left <= int64(in.end-in.start) && in.Conn.Framing() == h1.Length {
		in.step()
	}
}

// Received reports whether all of the message has been received, read by the application
// or not.
func (in *Incoming) Received() bool { return in.done }

// Beyond returns how many bytes have been received after the end of the message, all of which must
// have been received.
func (in *Incoming) Beyond() int { return in.end - in.start - in.pending }

// Ended reports whether the end of the stream has been read.
func (in *Incoming) Ended() bool { return in.eof }

// Rest returns a copy of what has been received behind the head of a message after which the stream
// is no longer HTTP.
func (in *Incoming) Rest() []byte { return append([]byte(nil), in.buf[in.start:in.end]...) }

// Spare returns memory to copy through while nothing is read.
func (in *Incoming) Spare() []byte {
	if in.large == nil {
		in.large = make([]byte, 4*BufferSize)
	}
	return in.large
}

// Sever ends the use of the stream. What has been received of the message can still be
// read, and nothing else.
func (in *Incoming) Sever(err error) {
	in.Stream = nil
	if !in.done && in.err == nil {
		in.err = err
	}
}
