// The end of a stream, as its peer sees it. One in good order is a FIN, and over TLS a
// close_notify before it; only that tells the peer of TLS that nothing was cut off (RFC 8446
// §6.1). So what is cut must look otherwise (RFC 9112 §8, §9.8):
//
//	                        plain       TLS
//	in good order           FIN         close_notify, FIN
//	cut: fail, Mute         FIN         FIN        the message's framing tells the peer as well
//	cut, while Unended      reset       reset      only the end would have told of the message's
//
// Who cuts is many: a handler that panics, a timeout, Close of a Socket, of the server, of the
// group. Few of them know what is being sent; the stream does.

package loop

import (
	"io"
	"net"

	"github.com/gale-http/gale/internal/sys"
)

// Unended says that the message being sent, which ends as the stream does, has not ended, or
// with false that it is none any more: until then whatever ends the stream is a reset, where
// the transport knows such a thing. Whoever writes calls it, before the first byte.
func (s *Stream) Unended(on bool) {
	if on {
		s.signs.Or(signUnended)
		return
	}
	s.signs.And(^uint32(signUnended))
}

// Farewell ends a message that was Unended, all of which has been written. The peer of TLS is
// told, and waited for as in Write. When that fails the message stays Unended.
func (s *Stream) Farewell() error {
	if l := s.above; l != nil && l.tls != nil {
		if err := s.sayFarewell(l); err != nil {
			return err
		}
	}
	s.Unended(false)
	return nil
}

func (s *Stream) sayFarewell(l *layer) error {
	if !s.portable {
		l.closeNotify(direct)
		return l.wire.failure()
	}
	if err := s.armConn(false); err != nil {
		return err
	}
	l.wire.patient.Store(true) // crypto/tls would give the peer five seconds
	defer l.wire.patient.Store(false)
	return s.connError(l.tls.CloseWrite(), &s.output)
}

// Mute has the end of the stream come without a word of TLS: something was cut off.
func (s *Stream) Mute() { s.signs.Or(signMute) }

func (s *Stream) unended() bool { return s.signs.Load()&signUnended != 0 }

// mute tells whether the peer of TLS must not be told that the end is in good order.
func (s *Stream) mute() bool { return s.signs.Load()&(signMute|signUnended) != 0 }

// HalfClose tells the peer that nothing more will be sent, unless the stream is Unended. It does
// not wait: over TLS the peer may have to do without the words, when it is slow.
func (s *Stream) HalfClose() { s.halfClose(trying) }

func (s *Stream) halfClose(mode sendMode) {
	switch {
	case s.unended():
		return // its end is no orderly one
	case s.portable:
		s.halfCloseConn()
		return
	case s.above != nil && !s.mute():
		s.above.closeNotify(mode)
	}
	s.shutdownWrite()
}

func (s *Stream) halfCloseConn() {
	l := s.above
	under := l.conn
	if l.tls != nil {
		if !s.mute() {
			_ = l.tls.CloseWrite()
		}
		under = beneath(under)
	}
	if c, ok := under.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

func (s *Stream) shutdownWrite() { sys.Shutdown(int(s.fd), 1) }

// closeNotify tells the peer that this is the end.
func (l *layer) closeNotify(mode sendMode) {
	l.wire.setMode(mode)
	_ = l.tls.CloseWrite()
}

// closeTLS ends TLS on a stream that is being closed, with what words the kernel takes
// now.
func (s *Stream) closeTLS() {
	if s.above == nil {
		return
	}
	if !s.mute() {
		s.above.closeNotify(trying)
	}
	s.above.wire.letGo()
	s.above = nil
}

// closeConn closes a stream over a net.Conn; TLS says so to the peer first.
func (s *Stream) closeConn() {
	s.loop.group.drop(s)
	l := s.above
	if s.mute() {
		_ = l.cut(s)
		if beneath(l.conn) != l.conn {
			_ = l.conn.Close() // silently, by now: whoever has wrapped it may count
		}
	} else {
		_ = l.top().Close()
	}
	s.above = nil
}

// closeFD gives the descriptor back.
func (s *Stream) closeFD() {
	if s.unended() {
		sys.ResetOnClose(int(s.fd))
	}
	sys.Close(int(s.fd))
	s.fd = -1
}

// cut ends the connection of a stream over a descriptor, which stays open.
func (s *Stream) cut() {
	switch {
	case s.fd < 0:
	case s.unended():
		sys.Reset(int(s.fd))
	default:
		sys.Shutdown(int(s.fd), 2)
	}
}

// cut closes the connection of s without a word. Any goroutine may call it.
func (l *layer) cut(s *Stream) error {
	c := beneath(l.conn)
	if tcp, ok := c.(*net.TCPConn); ok && s.unended() {
		_ = tcp.SetLinger(0)
	}
	return c.Close()
}

// beneath returns what is under TLS that was not put on here.
func beneath(c net.Conn) net.Conn {
	for {
		over, ok := c.(interface{ NetConn() net.Conn }) // as *tls.Conn has
		if !ok {
			return c
		}
		under := over.NetConn()
		if under == nil {
			return c
		}
		c = under
	}
}

// Cut makes every wait on s end with ErrClosed, those under way and those to come, and
// cuts the connection, which is being served: its owner closes it. The loop must be
// held, or the caller serve a stream of the portable driver.
func (s *Stream) Cut() {
	if s.portable {
		_ = s.above.cut(s)
		return
	}
	s.fail()
}

// fail makes every wait on s end with ErrClosed, those under way and those to
// come, and cuts the connection. It closes nothing: the owner does, when it
// finds out. The loop must be held, and the descriptor open.
func (s *Stream) fail() {
	s.signs.Or(signFailed)
	s.cut()
	s.loop.signal(&s.input)
	s.loop.signal(&s.output)
}

// Cutter returns what cuts a stream of the portable driver as Cut does, on whatever goroutine
// and however late; nil when it is closed.
func (s *Stream) Cutter() io.Closer {
	if s.above == nil {
		return nil
	}
	return cutter{s, s.above}
}

type cutter struct {
	stream *Stream
	layer  *layer
}

// Close implements io.Closer.
func (c cutter) Close() error { return c.layer.cut(c.stream) }
