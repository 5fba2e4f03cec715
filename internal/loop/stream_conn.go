// Streams over a net.Conn: what the portable driver reads and writes.

package loop

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

// layer is what a stream goes through instead of its descriptor: a net.Conn of the
// portable driver, or TLS (secure.go), or TLS over a net.Conn.
type layer struct {
	conn net.Conn  // nil: the stream has a descriptor of its own
	tls  *tls.Conn // nil: plain
	wire wire      // what tls is over, where conn is nil
	dry  bool      // the last read found nothing, in tls neither
}

// top is the net.Conn that is read and written in a portable group.
func (l *layer) top() net.Conn {
	if l.tls != nil {
		return l.tls
	}
	return l.conn
}

func (l *layer) read(s *Stream, p []byte) (int, error) {
	if l.conn == nil {
		return l.readTLS(p, true)
	}
	if err := s.armConn(true); err != nil {
		return 0, err
	}
	for c := l.top(); ; {
		n, err := c.Read(p)
		switch {
		case n > 0:
			return n, nil
		case err != nil: // else it has returned nothing and no error, which it may
			return 0, s.connError(err)
		}
	}
}

// tryRead is read where nothing can be read without waiting.
func (l *layer) tryRead(s *Stream, p []byte) (int, error) {
	if l.conn == nil {
		return l.readTLS(p, false)
	}
	return l.read(s, p)
}

func (l *layer) write(s *Stream, p []byte) (int, error) {
	if l.conn == nil {
		return l.writeTLS(p)
	}
	if err := s.armConn(false); err != nil {
		return 0, err
	}
	n, err := l.top().Write(p)
	return n, s.connError(err)
}

func (l *layer) tryWrite(s *Stream, p []byte) (int, error) {
	if l.conn == nil {
		return l.tryWriteTLS(p)
	}
	return l.write(s, p)
}

func (l *layer) writeThree(s *Stream, a, b, c []byte) (int, error) {
	if l.conn == nil {
		return l.writeThreeTLS(a, b, c)
	}
	if err := s.armConn(false); err != nil {
		return 0, err
	}
	buffers := net.Buffers{a, b, c}
	n, err := buffers.WriteTo(l.top())
	return int(n), s.connError(err)
}

// armConn sets the deadline of one side from its timeout and from what
// SetReadDeadline or SetWriteDeadline said. It fails when the stream is barred: Bar
// has set, or will set, a deadline that this one must not replace.
func (s *Stream) armConn(read bool) error {
	c := s.above.conn
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

// connError turns the errors of net.Conn into those of a stream.
func (s *Stream) connError(err error) error {
	switch {
	case err != nil && s.signs.Load()&signBarred != 0:
		return ErrOver
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case errors.Is(err, net.ErrClosed):
		return ErrClosed
	}
	return err
}

// dial connects s by way of package net.
func (s *Stream) dial(w *Worker, addr sys.Addr, timeout int64) error {
	network, address := "tcp", addr.IP.String()
	if addr.Path != "" {
		network, address = "unix", addr.Path
	}
	stop := w.loop.group.stop
	dialer := net.Dialer{Timeout: time.Duration(timeout * tickNanos)}
	c, err := dialer.DialContext(stop, network, address)
	switch {
	case err != nil && stop.Err() != nil:
		return ErrClosed
	case err != nil:
		return s.connError(err)
	}
	s.OpenConn(w, c, nil)
	return nil
}

func (l *layer) halfCloseConn() {
	if l.tls != nil {
		_ = l.tls.CloseWrite()
	}
	if c, ok := l.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// closeConn closes a stream over a net.Conn; TLS says so to the peer first.
func (s *Stream) closeConn() {
	s.loop.group.drop(s)
	_ = s.above.top().Close()
	s.above = nil
}
