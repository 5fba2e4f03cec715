// Streams over a net.Conn: what the portable driver reads and writes.

package loop

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

// transport is what a stream goes through instead of its descriptor: a net.Conn of the
// portable driver, or TLS (secure.go), or TLS over a net.Conn.
type transport struct {
	conn net.Conn  // nil: the stream has a descriptor of its own
	tls  *tls.Conn // nil: plain
	wire wire      // what tls runs over, if it was put on here
	dry  bool      // the last read found nothing, not even inside tls
}

// probeNanos bounds a read that only wants what has come already, of a connection that cannot be
// asked in another way.
const (
	probeNanos = 200_000   // nanoseconds
	lateNanos  = 1_600_000 // nanoseconds: the runtime's timers may be a millisecond late
	maxProbes  = 20        // how many are tried
)

// probeNoInput reports whether nothing has come in that was not read. The caller must set the read deadline
// anew.
func (t *transport) probeNoInput(scratch []byte) bool {
	if t.tls != nil {
		_ = t.conn.SetReadDeadline(past) // what tls has read and not handed out yet comes all the same
		if n, err := t.tls.Read(scratch); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !t.wire.whole() {
			return false
		}
	}
	if nothing, known := pending(t.conn, scratch); known {
		return nothing
	}
	for range maxProbes {
		until := monotonic() + probeNanos
		_ = t.conn.SetReadDeadline(timeOf(until))
		inTime := monotonic() < until
		n, err := t.top().Read(scratch)
		switch late := monotonic() - until; {
		case n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || t.tls != nil && !t.wire.whole():
			return false
		case inTime && late < lateNanos:
			return true
		}
		// The goroutine was kept from running. If that was before the read, which fails without a
		// try once the deadline has passed, nobody has looked.
	}
	return false
}

// pending asks the kernel about a socket of package net. It may take some input, where there is
// any. known reports whether it could be asked.
func pending(c net.Conn, scratch []byte) (nothing, known bool) {
	var plain syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		plain = c
	case *net.UnixConn:
		plain = c
	default:
		return false, false
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return false, true
	}
	var e sys.Errno
	if err = raw.Control(func(fd uintptr) { _, e = sys.Recv(int(fd), scratch) }); err != nil {
		return false, true
	}
	return e == sys.EAGAIN, e != sys.ENOSYS
}

// top is the net.Conn that is read and written in a portable group.
func (t *transport) top() net.Conn {
	if t.tls != nil {
		return t.tls
	}
	return t.conn
}

func (t *transport) read(s *Stream, p []byte) (int, error) {
	if t.conn == nil {
		return t.readTLS(p, true)
	}
	for c := t.top(); ; {
		began := monotonic()
		if err := s.armConn(true); err != nil {
			return 0, err
		}
		n, err := c.Read(p)
		s.noteWaited(&s.input, monotonic()-began)
		if n > 0 {
			return n, nil
		}
		// It may also return 0 and no error.
		if err = s.connError(withoutTruncated(err), &s.input); err == io.EOF && s.signs.Load()&signReset != 0 {
			return 0, sys.ECONNRESET // a write has met the reset, and no read will
		}
		if err != nil && (err != ErrTimeout || !s.forgiven(&s.input)) {
			return 0, err
		}
	}
}

// tryRead is read, but does not wait where a read can do without: over TLS on a descriptor.
func (t *transport) tryRead(s *Stream, p []byte) (int, error) {
	if t.conn == nil {
		return t.readTLS(p, false)
	}
	return t.read(s, p)
}

func (t *transport) write(s *Stream, p []byte) (int, error) {
	if t.conn == nil {
		return t.writeTLS(p)
	}
	for done := 0; ; {
		if err := s.armConn(false); err != nil {
			return done, err
		}
		n, err := t.top().Write(p[done:])
		done += n
		if err = s.writeError(err); err != ErrTimeout || !t.forgiven(s) {
			return done, err
		}
	}
}

func (t *transport) tryWrite(s *Stream, p []byte) (int, error) {
	if t.conn == nil {
		return t.tryWriteTLS(p)
	}
	return t.write(s, p)
}

func (t *transport) writeThree(s *Stream, a, b, c []byte) (int, error) {
	if t.conn == nil {
		return t.writeThreeTLS(a, b, c)
	}
	buffers := net.Buffers{a, b, c}
	for done := 0; ; {
		if err := s.armConn(false); err != nil {
			return done, err
		}
		n, err := buffers.WriteTo(t.top()) // removes from buffers what it has written
		done += int(n)
		if err = s.writeError(err); err != ErrTimeout || !t.forgiven(s) {
			return done, err
		}
	}
}

// armConn sets the deadline of one side from its timeout and from what
// SetReadDeadline or SetWriteDeadline said. It fails when the stream is barred: Bar
// has set, or will set, a deadline that this one must not replace.
func (s *Stream) armConn(read bool) error {
	c := s.transport.conn
	timeout, set, side := s.WriteTimeout, c.SetWriteDeadline, &s.output
	if read {
		timeout, set, side = s.ReadTimeout, c.SetReadDeadline, &s.input
	}
	for {
		deadline := s.deadlineOf(side)
		due := deadline
		if at := monotonic() + int64(timeout)*tickNanos; timeout > 0 && (due == 0 || at < due) {
			due = at
		}
		if due == 0 {
			_ = set(noDeadline)
		} else {
			_ = set(timeOf(due))
		}
		switch {
		case s.signs.Load()&signBarred != 0:
			return ErrOver
		case s.deadlineOf(side) == deadline:
			return nil
		}
	}
}

// connError turns the errors of a net.Conn, on one side, into those of a stream.
func (s *Stream) connError(err error, side *word) error {
	switch {
	case err == nil:
		return nil
	case s.signs.Load()&signBarred != 0:
		return ErrOver
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.timeoutError(side)
	case errors.Is(err, net.ErrClosed):
		return ErrClosed
	}
	return err
}

// forgiven reports whether a write whose time is up may go on.
func (t *transport) forgiven(s *Stream) bool {
	switch {
	case t.tls == nil:
		return s.forgiven(&s.output)
	case net.Conn(t.tls) == t.conn: // put on by the listener: ask as Forgive says, but do not go on
		s.forgiven(&s.output)
	}
	return false // crypto/tls writes nothing after a timeout; the wire has asked already
}

// writeError is connError for a write. It notes a reset, which no read will report any more.
func (s *Stream) writeError(err error) error {
	if err != nil && errors.Is(err, sys.ECONNRESET) {
		s.signs.Or(signReset)
	}
	return s.connError(err, &s.output)
}

// dial connects s through package net.
func (s *Stream) dial(w *Worker, from, addr sys.Addr, timeout int64) error {
	network, address := "tcp", addr.IP.String()
	if addr.Path != "" {
		network, address = "unix", addr.Path
	}
	stop := w.loop.group.stop
	dialer := net.Dialer{Timeout: time.Duration(timeout * tickNanos)}
	if from.IP.IsValid() {
		dialer.LocalAddr = NetAddr(from)
	}
	c, err := dialer.DialContext(stop, network, address)
	switch {
	case err != nil && stop.Err() != nil:
		return ErrClosed
	case err != nil:
		return s.connError(err, &s.output)
	}
	s.OpenConn(w, c, nil)
	return nil
}
