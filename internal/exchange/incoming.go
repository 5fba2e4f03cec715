// A message coming in: from bytes on a stream to a head, and a body that is read like any
// io.Reader.

package exchange

import (
	"io"
	"sync/atomic"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/pool"
)

const (
	// BufferSize is the size of a worker's read buffer, and of its write buffer.
	BufferSize = 8 << 10
	// directRead is the smallest read that goes straight into the caller's slice.
	directRead = 1 << 10
	// bodyRoom is the least room behind a head for a body to be read into.
	bodyRoom = 1 << 10
)

// Incoming is the message that is coming in on a stream. It belongs to whoever
// runs the exchange; Read may be called by one other goroutine at a time while
// the exchange is under way. Its zero value is ready.
type Incoming struct {
	Stream *loop.Stream
	Conn   *h1.Conn
	Limits *h1.Limits
	// BeforeBody, when set, runs before each wait for the body: a server sends its
	// 100 there.
	BeforeBody func() error
	// Lend, when set, announces that a goroutine is going to read the body, possibly only when the
	// present user of the message is done with it. It must be called on behalf of that user, before
	// the goroutine starts.
	Lend func()
	// Rate is how many bytes a second of a body must come, once Grace milliseconds have been spent
	// waiting for it; 0 is no limit.
	Rate, Grace int64

	Head     bytesparse.Head // of the message under way, positions relative to HeadBytes
	trailers bytesparse.Head
	head     []byte // the bytes of Head
	section  []byte // the bytes of trailers

	own        []byte // the worker's buffer
	buf        []byte // what is being read into: own, or one that a large message needed
	base       int    // where in buf a body may begin: behind the head
	start, end int    // what was read and not used yet
	pending    int    // body bytes at start that the machine has counted and nobody has read
	dropped    int64  // bytes that Drain has dropped of this message
	waited     int64  // milliseconds that its body was waited for
	eof        bool   // the peer sends no more
	done       bool   // the machine has seen the body's end
	err        error  // why the body's end cannot be reached

	left atomic.Int64 // see Left; updated while there is a body

	fields [inlineFields]bytesparse.Field
	names  names
	arena  []byte   // joined and lower-cased bytes handed out for this message
	large  []byte   // what WriteTo reads a large body into when it gets no room; made once
	former [][]byte // what the arena was before it grew; only with galedebug
}

// inlineFields is how many fields a head may have before a longer list is allocated, which is kept.
const inlineFields = 40

// Attach makes in read from s. begun is what was read before and not used, from Detach; it is taken
// over or copied. Attach returns memory that it has no use for: begun, another buffer, or nil.
func (in *Incoming) Attach(s *loop.Stream, c *h1.Conn, begun []byte) (unused []byte) {
	in.Stream, in.Conn, in.eof, in.start, in.end = s, c, false, 0, 0
	if begun == nil && len(in.buf) > 0 {
		return nil
	}
	return in.begin(begun)
}

// Reserve allocates the memory that Open needs.
func (in *Incoming) Reserve() { in.begin(nil) }

// Open is Attach, after Reserve, for what Stream and Conn are set to, when nothing was read before.
// It returns the memory that the first read goes to; Got comes next.
func (in *Incoming) Open() []byte {
	in.eof, in.start = false, 0
	return in.buf
}

// Got notes that n bytes were read into what Open has returned.
func (in *Incoming) Got(n int) { in.end = n }

// HasGrown reports whether in has more memory than it begins with. If so, and it is not to be used for a
// while, it should be left with Discard.
func (in *Incoming) HasGrown() bool { return len(in.buf) != len(in.own) }

func (in *Incoming) begin(begun []byte) (unused []byte) {
	if in.own == nil {
		in.own = make([]byte, BufferSize)
		in.Head.Fields = in.fields[:0]
	}
	in.buf, in.start, in.end = in.own, 0, len(begun)
	if len(begun) <= len(in.own)/2 {
		copy(in.own, begun)
		return begun
	}
	in.buf = begun[:cap(begun)]
	if len(in.buf) == len(in.own) {
		unused, in.own = in.own, in.buf
	}
	return unused
}

// Detach ends the reading from a stream and returns what was read and not used: nil, a slice that
// get made, or memory that in gives away.
func (in *Incoming) Detach(get func(size int) []byte) []byte {
	in.Release()
	var begun []byte
	if n := in.end - in.start; n > 0 && n <= len(in.own)/2 {
		begun = get(n)[:n]
		copy(begun, in.buf[in.start:in.end])
	} else if n > 0 {
		in.compact()
		begun = in.buf[:n]
		if &in.buf[0] == &in.own[0] {
			in.own = get(BufferSize)
		}
		in.buf = in.own
	}
	in.Discard()
	return begun
}

// Discard ends the reading from a stream and drops what was not used.
func (in *Incoming) Discard() {
	if in.head != nil {
		in.Release()
	}
	in.Stream, in.Conn, in.start, in.end = nil, nil, 0, 0
	if len(in.buf) > 0 && &in.buf[0] != &in.own[0] {
		in.buf = in.own // the other one was for a large message
	}
}

// Abandon ends the message under way, whose reading fails with err from now on. It returns a copy
// of what was read from the stream and not used, nil when there is nothing.
func (in *Incoming) Abandon(err error) []byte {
	rest := append([]byte(nil), in.buf[in.start:in.end]...)
	in.start, in.pending = in.end, 0
	in.done, in.err = false, err
	return rest
}

// Put puts p, which someone else has read from the stream, behind what was read. No body may be
// under way.
func (in *Incoming) Put(p []byte) {
	if len(p) > len(in.buf)-in.end {
		in.buf = append(append(make([]byte, 0, 2*len(in.buf)), in.buf[:in.end]...), p...)
		in.buf = in.buf[:cap(in.buf)]
	} else {
		copy(in.buf[in.end:], p)
	}
	in.end += len(p)
}

// Scratch returns the worker's buffer, for reading what nobody wants. It must not
// be used while a message is under way.
func (in *Incoming) Scratch() []byte {
	if in.own == nil {
		in.own = make([]byte, BufferSize)
	}
	return in.own
}

// Sink reads from s into scratch and drops what it has read, until limit bytes have come, ms
// milliseconds have passed, or the stream ends; only in the first case it reports true. It is for
// streams of the portable driver.
func Sink(s *loop.Stream, scratch []byte, limit int, ms int64) bool {
	for due := s.Tick() + ms; limit > 0; {
		left := due - s.Tick()
		if left <= 0 {
			return false
		}
		s.ReadTimeout = int32(left)
		n, err := s.Read(scratch)
		if err != nil {
			return false
		}
		limit -= n
	}
	return true
}

// Release ends the life of all views handed out for the message.
func (in *Incoming) Release() {
	pool.Poison(in.head)
	in.head = nil
	if in.section != nil || len(in.arena) > 0 {
		in.releaseExtras()
	}
}

// HeadOnly reports whether the message has been read to its end and no views were handed out but of its
// head. If so, it need not be Released before the next.
func (in *Incoming) HeadOnly() bool {
	return in.done && in.pending == 0 && in.section == nil && len(in.arena) == 0
}

// releaseExtras is the part of Release for what few messages have.
func (in *Incoming) releaseExtras() {
	pool.Poison(in.section)
	pool.Poison(in.arena)
	for _, former := range in.former {
		pool.Poison(former)
	}
	in.section, in.arena, in.former = nil, in.arena[:0], nil
}

// hold returns where in the arena the next view is going to begin. With galedebug the arena is
// remembered, so that views in it are poisoned even after it has grown.
func (in *Incoming) hold() (from int) {
	if pool.Debug {
		in.former = append(in.former, in.arena)
	}
	return len(in.arena)
}

// HeadBytes returns the bytes of the head under way: a view.
func (in *Incoming) HeadBytes() []byte { return in.head }

// Unread returns how many bytes have been read from the stream and not used.
func (in *Incoming) Unread() int { return in.end - in.start }

// Next looks for the next message's head in what has been read.
func (in *Incoming) Next() (h1.Event, error) {
	for {
		data := in.buf[in.start:in.end]
		n, ev, err := in.Conn.NextHead(data, in.eof, &in.Head, in.Limits)
		if ev == h1.HeadDone {
			if !in.Conn.Usual() || in.err != nil {
				in.found(n)
				return ev, err
			}
			in.head = data[:n]
			in.start += n
			in.done, in.pending = true, 0
			return ev, nil
		}
		in.start += n
		if n == 0 || ev != h1.NeedMore {
			return ev, err
		}
	}
}

// found begins the message whose head, of n bytes, the machine has found.
func (in *Incoming) found(n int) {
	in.head = in.buf[in.start : in.start+n]
	in.start += n
	in.base = in.start
	in.done, in.pending = in.Conn.Done(), 0
	if in.err != nil {
		in.err = nil
	}
	if !in.done {
		in.dropped, in.waited = 0, 0
		in.Stream.TakeWaited() // time waited for the head does not count
		in.note()
	}
}

// Fill reads more of the stream into the buffer, without waiting on a stream that has a loop. It
// returns 0 and no error when there is nothing now. The end of the stream is noted, for Next to
// judge, and counts as a byte.
func (in *Incoming) Fill() (int, error) {
	if in.start == in.end {
		in.start, in.end = 0, 0
	} else if in.end == len(in.buf) {
		in.makeRoom()
	}
	n, err := in.Stream.TryRead(in.buf[in.end:])
	if in.end += n; err != nil {
		return in.Filled(n, err)
	}
	return n, nil
}

// Filled returns what Fill returns after a read that gave n and err.
func (in *Incoming) Filled(n int, err error) (int, error) {
	if !in.eof && in.noteEOF(err) {
		return 1, nil
	}
	return n, err
}

// noteEOF notes that the stream has ended, if err says so, and reports whether it does. Over TLS it
// may have ended without a close_notify, or in the middle of a record: the machine judges that.
func (in *Incoming) noteEOF(err error) bool {
	switch err {
	case io.ErrUnexpectedEOF:
		in.Conn.Truncated = true
	case io.EOF:
	default:
		return false
	}
	in.eof = true
	return true
}

// compact moves what was not used to the front of the buffer.
func (in *Incoming) compact() {
	if in.start > 0 {
		in.end = copy(in.buf, in.buf[in.start:in.end])
		in.start = 0
	}
}

// makeRoom makes room in a full buffer for a head that is not complete: at its
// front, or in a buffer twice as large.
func (in *Incoming) makeRoom() {
	if in.start > 0 {
		in.compact()
		return
	}
	grown := make([]byte, 2*len(in.buf))
	copy(grown, in.buf[:in.end])
	in.buf = grown
}
