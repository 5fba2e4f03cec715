// TLS over a stream: crypto/tls reads and writes through a net.Conn that suspends
// its worker, or parks its goroutine, where another would block. Above it the
// methods of the stream mean what they mean on a plain one:
//
//	Read ──▶ tls.Conn.Read ──▶ wire.Read ──▶ descriptor, wait
//	Write ─▶ tls.Conn.Write ─▶ wire.Write ─▶ descriptor, wait
//
// A read that must not wait ends with a temporary net.Error, which does a tls.Conn no harm. So a
// connection at rest keeps no worker in a read, and no buffer of ours. Only a handshake has to wait
// in place.

package loop

import (
	"crypto/tls"
	"errors"
	"net"
)

// Handshake puts TLS on the stream and performs the handshake; start is tls.Server or tls.Client.
// It takes no longer than timeout milliseconds, 0 is for ever. It calls the user code of the
// config, so a worker must be under its lease. When it fails the stream is as it was before; an
// alert may have been sent.
func (s *Stream) Handshake(start func(net.Conn, *tls.Config) *tls.Conn, config *tls.Config, timeout int64) error {
	return s.HandshakeAfter(nil, start, config, timeout)
}

// HandshakeAfter is Handshake when begun, the first part of it, has been read already; begun is not
// kept.
func (s *Stream) HandshakeAfter(begun []byte, start func(net.Conn, *tls.Config) *tls.Conn, config *tls.Config, timeout int64) error {
	t := s.transport
	if t == nil {
		t = new(transport)
	}
	w := &t.wire
	w.stream.Store(s)
	w.begun, w.waits, w.waited = begun, true, s.waited
	if s.portable {
		w.given = t.conn
		if timeout > 0 {
			_ = t.conn.SetDeadline(deadlineAt(timeout * tickNanos))
			defer func() { _ = t.conn.SetDeadline(noDeadline) }()
		}
	} else if timeout > 0 {
		due := deadlineAt(timeout * tickNanos)
		s.SetReadDeadline(due)
		s.SetWriteDeadline(due)
		defer s.SetReadDeadline(noDeadline)
		defer s.SetWriteDeadline(noDeadline)
	}
	c := start(w, config)
	err := c.Handshake()
	w.begun = nil
	if err != nil {
		err = s.connError(w.writeError(w.readError(err)), &s.input)
		if errors.Is(err, ErrTimeout) {
			return ErrTimeout
		}
		return err
	}
	w.strict = true
	if t.tls = c; !s.portable {
		s.transport = t
	}
	return nil
}

// TakeTLS takes a stream with TLS away from its loop, as Conn.Take does, for code that wants to
// have the tls.Conn itself. That stays open until its Close.
func (s *Stream) TakeTLS() (*tls.Conn, error) {
	t := s.transport
	t.wire.strict = false // its new owner knows the errors of crypto/tls
	if s.portable {
		s.state = closed
		if net.Conn(t.tls) == t.conn { // the listener put it on: nothing of ours is under it
			s.loop.group.handTLS(s, t.tls)
		} else {
			t.wire.given = registered{t.conn, s}
		}
		return t.tls, nil
	}
	s.transport = nil // so that the Conn is over the descriptor, under TLS
	c := NewConn(s)
	if err := c.Take(); err != nil {
		s.transport, t.wire.strict = t, true
		return nil, err
	}
	c.Leave()
	t.wire.given = c
	return t.tls, nil
}

// registered is a connection that the end of the group closes, unless its own Close comes first.
type registered struct {
	net.Conn
	stream *Stream
}

func (r registered) Close() error {
	r.stream.loop.group.drop(r.stream)
	return r.Conn.Close()
}

// TLS returns the state of the stream's TLS, nil when it is plain. Any goroutine may
// call it while the stream is open. It allocates.
func (s *Stream) TLS() *tls.ConnectionState {
	if s.transport == nil {
		return nil
	}
	c, ok := s.transport.top().(interface{ ConnectionState() tls.ConnectionState })
	if !ok {
		return nil
	}
	state := c.ConnectionState()
	return &state
}

// Partial reports whether what has been received over TLS ends within a record, of which nothing can
// be read before it is whole. It is for the reader.
func (s *Stream) Partial() bool {
	return s.transport != nil && s.transport.tls != nil && !s.transport.wire.whole()
}

// Strip removes TLS from a stream that has a descriptor: HalfClose has told the peer of its end,
// and nobody needs to understand what still comes.
func (s *Stream) Strip() {
	if !s.portable {
		s.transport = nil
	}
}

// readTLS reads what there is in whole records. With waits false it returns 0 and no
// error when there is nothing now.
func (t *transport) readTLS(p []byte, waits bool) (int, error) {
	w := &t.wire
	w.waits, w.records, w.waited = waits, 0, w.stream.Load().waited
	n, err := t.tls.Read(p)
	if n > 0 {
		// tls has nothing left when it was dry before, and one record came since and was read
		// completely.
		t.dry = t.dry && n < len(p) && w.records == 1 && w.whole()
		return n, nil // an error will be there again
	}
	if t.dry = err == errNothing; t.dry {
		return 0, nil
	}
	return 0, w.readError(err)
}

func (t *transport) writeTLS(p []byte) (int, error) {
	if len(p) > oneRecord || t.wire.owed > 0 {
		return t.writeThreeTLS(p, nil, nil)
	}
	n, err := t.tls.Write(p)
	if err != nil {
		err = t.wire.writeError(err)
	}
	return n, err
}

// writeThreeTLS writes records and sends them in as few system calls as makes sense.
func (t *transport) writeThreeTLS(pieces ...[]byte) (done int, err error) {
	t.wire.setMode(gathering)
	if done, err = t.gather(pieces...); err != nil {
		return done, err
	}
	return done, t.wire.flush(false)
}

// writeEndTLS writes the last records, with a close_notify behind them.
func (t *transport) writeEndTLS(p []byte) (done int, err error) {
	t.wire.setMode(gathering)
	if done, err = t.gather(p); err != nil {
		return done, err
	}
	_ = t.tls.CloseWrite()
	return done, t.wire.flush(true)
}

// gather makes records, except of what is owed already.
func (t *transport) gather(pieces ...[]byte) (done int, err error) {
	w := &t.wire
	for _, p := range pieces {
		n := min(w.owed, len(p))
		w.owed -= n
		if done += n; n == len(p) {
			continue
		}
		n, err = t.tls.Write(p[n:])
		if done += n; err != nil {
			return done, w.writeError(err)
		}
	}
	return done, nil
}

// tryWriteTLS writes one record. While the kernel has not taken all of it, its plaintext counts as
// not written: it is owed.
func (t *transport) tryWriteTLS(p []byte) (int, error) {
	w := &t.wire
	w.setMode(trying)
	defer w.setMode(direct)
	if gone, err := w.tryFlush(); err != nil || !gone {
		return 0, err
	}
	n := min(w.owed, len(p))
	if w.owed -= n; n > 0 {
		return n, nil
	}
	n, err := t.tls.Write(p[:min(len(p), maxRecord)])
	if err != nil {
		return 0, w.writeError(err)
	}
	if gone, err := w.tryFlush(); err != nil || !gone {
		w.owed = n
		return 0, err
	}
	return n, nil
}
