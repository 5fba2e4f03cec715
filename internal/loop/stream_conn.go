// Streams over a net.Conn: what the portable driver reads and writes.

package loop

import (
	"errors"
	"net"
	"os"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

func (s *Stream) readConn(p []byte) (int, error) {
	if err := s.armConn(true); err != nil {
		return 0, err
	}
	for {
		n, err := s.conn.Read(p)
		switch {
		case n > 0:
			return n, nil
		case err != nil: // else it has returned nothing and no error, which it may
			return 0, s.connError(err)
		}
	}
}

func (s *Stream) writeConn(p []byte) (int, error) {
	if err := s.armConn(false); err != nil {
		return 0, err
	}
	n, err := s.conn.Write(p)
	return n, s.connError(err)
}

func (s *Stream) writeConnThree(pieces ...[]byte) (int, error) {
	if err := s.armConn(false); err != nil {
		return 0, err
	}
	buffers := net.Buffers(pieces)
	n, err := buffers.WriteTo(s.conn)
	return int(n), s.connError(err)
}

// armConn sets the deadline of one side from its timeout and from what
// SetReadDeadline or SetWriteDeadline said. It fails when the stream is barred: Bar
// has set, or will set, a deadline that this one must not replace.
func (s *Stream) armConn(read bool) error {
	timeout, set, side := s.WriteTimeout, s.conn.SetWriteDeadline, &s.output
	if read {
		timeout, set, side = s.ReadTimeout, s.conn.SetReadDeadline, &s.input
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

func (s *Stream) halfCloseConn() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}
