// The net.Conn under TLS: a stream's descriptor, with waits that suspend. The reading side belongs
// to whoever reads, the writing side to whoever writes; but a reader may have to send an alert or a
// new key as well, so outgoing data is under a lock. The lock is held while a slow peer is waited
// for: anyone else who has something to send waits too.

package loop

import (
	"cmp"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	recordHead = 5        // bytes before a record's body: type, version, length
	oneRecord  = 1 << 10  // crypto/tls is sure to put this much into one record
	maxRecord  = 16 << 10 // most plaintext in one record
	gatherSize = 32 << 10 // how much ciphertext is worth a system call
	gatherRoom = gatherSize + maxRecord + 1<<10
)

// wire implements net.Conn for crypto/tls.
type wire struct {
	stream atomic.Pointer[Stream]
	given  net.Conn // is read and written in place of the stream; nil: the stream is

	begun   []byte      // what was read before the handshake
	strict  bool        // an end without close_notify is errTruncated
	patient atomic.Bool // write deadlines that crypto/tls sets are ignored
	waits   bool        // reads wait
	stopped error       // why the last wait of a read ended early
	waited  int32       // Stream.waited when the read began
	// The records in what was read: how many have ended since someone set records to 0, how many
	// bytes of the current one's head have come and what length they give, and how many of its body
	// are still to come.
	records, head, length, rest int

	mu     sync.Mutex
	mode   sendMode
	out    *[]byte // ciphertext not yet sent, in a buffer of gatherers; nil: none
	broken error   // why nothing more can be sent

	owed int // plaintext encrypted at the end of out that the writer will pass again; the writer's
}

// sendMode says what happens to ciphertext.
type sendMode uint8

const (
	direct    sendMode = iota // sent at once, waiting while the peer is slow
	gathering                 // collected, and sent in large pieces
	trying                    // sent as far as the kernel takes it now
)

// gatherers are buffers for ciphertext: a wire has one while it holds any.
var gatherers = sync.Pool{New: func() any {
	b := make([]byte, 0, gatherRoom)
	return &b
}}

// pause ends a read without harm: any other error of a read is final for crypto/tls.
type pause string

func (p pause) Error() string { return string(p) }
func (pause) Timeout() bool   { return true }
func (pause) Temporary() bool { return true }

var (
	errNothing error = pause("gale: nothing to read now")
	errStopped error = pause("gale: the wait was ended")
)

// DetectTruncation wraps a connection that our own code puts TLS on. When the connection ends, a read
// returns not io.EOF, which crypto/tls would pass on as an orderly end even without a close_notify,
// but an error that streams recognise.
func DetectTruncation(c net.Conn) net.Conn { return truncationConn{c} }

type truncationConn struct{ net.Conn }

// Read implements net.Conn.
func (c truncationConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == io.EOF {
		err = errTruncated
	}
	return n, err
}

// NetConn returns the wrapped connection.
func (c truncationConn) NetConn() net.Conn { return c.Conn }

// withoutTruncated replaces errTruncated by what callers of this package get for it.
func withoutTruncated(err error) error {
	if err == errTruncated {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.read(p)
	if err == io.EOF && w.strict {
		err = errTruncated
	}
	return n, err
}

func (w *wire) read(p []byte) (int, error) {
	if w.given != nil {
		n, err := w.given.Read(p)
		w.count(p[:n])
		return n, err
	}
	if len(w.begun) > 0 {
		n := copy(p, w.begun)
		w.begun = w.begun[n:]
		w.count(p[:n])
		return n, nil
	}
	s := w.stream.Load()
	for {
		n, err := s.tryRead(p, true)
		switch {
		case n > 0:
			w.count(p[:n])
			return n, nil
		case err != nil:
			return 0, err
		case !w.waits:
			return 0, errNothing
		}
		timeout := int64(s.ReadTimeout)
		if timeout > 0 { // for the whole record: single bytes do not prolong it
			timeout = max(1, timeout-int64(s.waited-w.waited))
		}
		if w.stopped = s.wait(&s.input, timeout); w.stopped != nil {
			return 0, errStopped
		}
		s.drained, s.movedIn = false, 0
	}
}

// count keeps track of the records in what was read.
func (w *wire) count(p []byte) {
	if w.head == 0 && len(p) > recordHead && len(p)-recordHead == int(p[3])<<8|int(p[4]) {
		w.records++ // one whole record, as nearly always
		return
	}
	for len(p) > 0 {
		if w.rest == 0 && w.head < recordHead {
			w.length = w.length<<8&0xffff | int(p[0]) // its last two bytes are the length
			w.head++
			p = p[1:]
			if w.head < recordHead {
				continue
			}
			w.rest = w.length
		}
		n := min(w.rest, len(p))
		w.rest -= n
		if p = p[n:]; w.rest == 0 {
			w.records++
			w.head = 0
		}
	}
}

// whole reports whether what was read ended at the end of a record.
func (w *wire) whole() bool { return w.head == 0 }

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	if w.given != nil {
		return w.writeGiven(p)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.put(p); err != nil {
		w.broken = err
		return 0, err
	}
	return len(p), nil
}

// writeGiven writes to given. crypto/tls must not hear of a timeout that is forgiven: it writes
// nothing more after one.
func (w *wire) writeGiven(p []byte) (done int, err error) {
	for s := w.stream.Load(); ; {
		n, err := w.given.Write(p[done:])
		if done += n; err == nil || !w.strict || s.connError(err, &s.output) != ErrTimeout || !s.forgiven(&s.output) {
			return done, err
		}
		if err := s.armConn(false); err != nil {
			return done, err
		}
	}
}

// put sends p, or keeps it behind what was kept before. The lock must be held.
func (w *wire) put(p []byte) error {
	if w.broken != nil {
		return w.broken
	}
	if w.mode == direct {
		if err := w.sendKept(false); err != nil {
			return err
		}
		return w.sendAll(p, false)
	}
	if w.mode == trying && w.out == nil {
		n, err := w.stream.Load().tryWrite(p, false)
		if p = p[n:]; err != nil || len(p) == 0 {
			return err
		}
	}
	if w.out == nil {
		w.out = gatherers.Get().(*[]byte)
	}
	*w.out = append(*w.out, p...)
	if w.mode == gathering && len(*w.out) >= gatherSize {
		if w.stream.Load().signs.Load()&signBarred != 0 {
			return ErrOver // asked here because a writer to a fast peer may never wait
		}
		return w.sendKept(false)
	}
	return nil
}

// sendKept sends what was kept and gives its buffer back. more says that the end of the stream
// follows at once. The lock must be held.
func (w *wire) sendKept(more bool) error {
	if w.out == nil {
		return nil
	}
	err := w.sendAll(*w.out, more)
	w.releaseBuffer()
	return err
}

// releaseBuffer gives the buffer back.
func (w *wire) releaseBuffer() {
	if w.out == nil {
		return
	}
	*w.out = (*w.out)[:0]
	gatherers.Put(w.out)
	w.out = nil
}

func (w *wire) sendAll(p []byte, more bool) error {
	for s := w.stream.Load(); ; {
		n, err := s.tryWrite(p, more)
		if p = p[n:]; err != nil || len(p) == 0 {
			return err
		}
		if err := s.waitOutput(); err != nil {
			return err
		}
	}
}

// flush sends what was gathered and ends the gathering. more is as in sendKept.
func (w *wire) flush(more bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mode = direct
	if w.broken == nil {
		w.broken = w.sendKept(more)
	}
	return w.broken
}

// tryFlush sends as much of what was kept as the kernel takes now, and reports whether that was
// all.
func (w *wire) tryFlush() (all bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil || w.out == nil {
		return true, w.broken
	}
	n, err := w.stream.Load().tryWrite(*w.out, false)
	if w.broken = err; err != nil {
		return false, err
	}
	*w.out = (*w.out)[:copy(*w.out, (*w.out)[n:])]
	if len(*w.out) > 0 {
		return false, nil
	}
	w.releaseBuffer()
	return true, nil
}

func (w *wire) setMode(mode sendMode) {
	w.mu.Lock()
	w.mode = mode
	w.mu.Unlock()
}

// readError and writeError return the cause of an error of crypto/tls.
func (w *wire) readError(err error) error {
	if err == errStopped {
		return w.stopped
	}
	return withoutTruncated(err)
}

func (w *wire) writeError(err error) error {
	return cmp.Or(w.failure(), err)
}

// failure returns why nothing more can be sent, nil if it can.
func (w *wire) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// Close implements net.Conn. It does not close a stream, which is not TLS's to close.
func (w *wire) Close() error {
	if w.given != nil {
		return w.given.Close()
	}
	return nil
}

// LocalAddr implements net.Conn.
func (w *wire) LocalAddr() net.Addr {
	if w.given != nil {
		return w.given.LocalAddr()
	}
	return w.stream.Load().localAddr()
}

// RemoteAddr implements net.Conn.
func (w *wire) RemoteAddr() net.Addr {
	if w.given != nil {
		return w.given.RemoteAddr()
	}
	return w.stream.Load().remoteAddr()
}

// SetDeadline implements net.Conn. On a stream, which has timeouts of its own, it does nothing.
func (w *wire) SetDeadline(t time.Time) error {
	if w.given != nil {
		return w.given.SetDeadline(t)
	}
	return nil
}

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(t time.Time) error {
	if w.given != nil {
		return w.given.SetReadDeadline(t)
	}
	return nil
}

// SetWriteDeadline implements net.Conn.
func (w *wire) SetWriteDeadline(t time.Time) error {
	if w.given != nil && !w.patient.Load() {
		return w.given.SetWriteDeadline(t)
	}
	return nil
}
