// What a message coming in is besides, when it is an answer: it is waited for, and its
// stream is wanted back as soon as nothing of it is left there.

package exchange

import "github.com/gale-http/gale/internal/h1"

// Await reads more of the stream into the buffer, waiting for it. The end of the
// stream is noted, for Next to judge, and counts as something.
func (in *Incoming) Await() error {
	if in.start == in.end {
		in.start, in.end = 0, 0
	} else if in.end == len(in.buf) {
		in.makeRoom()
	}
	n, err := in.Stream.Read(in.buf[in.end:])
	in.end += n
	if !in.eof && in.over(err) {
		return nil
	}
	return err
}

// Settle takes a body that has arrived with its head and was declared, so that nothing
// of the message is still in the stream.
func (in *Incoming) Settle() {
	if left := in.Conn.Remaining(); !in.done && left > 0 && left <= int64(in.end-in.start) && in.Conn.Framing() == h1.Length {
		in.step()
	}
}

// Received tells whether all of the message has been received, read by the application
// or not.
func (in *Incoming) Received() bool { return in.done }

// Beyond returns how many bytes have been received behind the message, all of which
// has been.
func (in *Incoming) Beyond() int { return in.end - in.start - in.pending }

// Ended tells whether the end of the stream has been read.
func (in *Incoming) Ended() bool { return in.eof }

// Rest returns what has been received behind the head of a message that ends HTTP: a
// copy.
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
