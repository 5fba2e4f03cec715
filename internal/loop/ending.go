// The end of a stream as its peer sees it. An orderly end is a FIN, over TLS with a close_notify
// before it; only the close_notify tells a TLS peer that nothing was cut off (RFC 8446 §6.1). So a
// stream that is cut must end in another way (RFC 9112 §8, §9.8):
//
//	                        plain       TLS
//	orderly                 FIN         close_notify, FIN
//	cut: fail, Mute         FIN         FIN        the message's framing tells the peer as well
//	cut, while Unended      reset       reset      only the stream's end would have ended the message
//
// Many things cut a stream: a handler that panics, a timeout, Close of a Socket, of the server, of
// the group. Few of them know what is being sent; the stream does.

package loop

import (
	"io"
	"net"

	"github.com/gale-http/gale/internal/sys"
)

// Unended marks the message being sent, which ends with the stream, as not ended yet; false takes
// the mark back. As long as it is set, whatever ends the stream is a reset, where the transport has
// such a thing. The writer calls it, before the first byte.
func (s *Stream) Unended(on bool) {
	if on {
		s.signs.Or(signUnended)
		return
	}
	s.signs.And(^uint32(signUnended))
}

// Farewell ends a message that is Unended, all of which has been written. Over TLS it sends a
// close_notify, waiting for the peer as Write does. When that fails the message stays Unended.
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
	l.wire.patient.Store(true) // crypto/tls would allow the peer five seconds only
	defer l.wire.patient.Store(false)
	return s.connError(l.tls.CloseWrite(), &s.output)
}

// Mute makes the stream end without a close_notify: something was cut off.
func (s *Stream) Mute() { s.signs.Or(signMute) }

func (s *Stream) unended() bool { return s.signs.Load()&signUnended != 0 }

// mute reports whether a TLS peer must not be told that the end is orderly.
func (s *Stream) mute() bool { return s.signs.Load()&(signMute|signUnended) != 0 }

// HalfClose tells the peer that nothing more will be sent, unless the stream is Unended. It does
// not wait: a slow TLS peer may not get the close_notify.
func (s *Stream) HalfClose() { s.halfClose(trying) }

func (s *Stream) halfClose(mode sendMode) {
	switch {
	case s.unended():
		return // its end is not orderly
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

// closeNotify sends a close_notify.
func (l *layer) closeNotify(mode sendMode) {
	l.wire.setMode(mode)
	_ = l.tls.CloseWrite()
}

// closeTLS ends TLS on a stream that is being closed, with as much of the close_notify as the
// kernel takes now.
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

// closeConn closes a stream over a net.Conn, with a close_notify first unless it is mute.
func (s *Stream) closeConn() {
	s.loop.group.drop(s)
	l := s.above
	if s.mute() {
		_ = l.cut(s)
		if beneath(l.conn) != l.conn {
			_ = l.conn.Close() // it can send nothing by now, but a wrapper may count open connections
		}
	} else {
		_ = l.top().Close()
	}
	s.above = nil
}

// closeFD closes the descriptor, which resets a connection that is Unended.
func (s *Stream) closeFD() {
	if s.unended() {
		sys.ResetOnClose(int(s.fd))
	}
	sys.Close(int(s.fd))
	s.fd = -1
}

// cut ends the connection of a stream over a descriptor; the descriptor stays open.
func (s *Stream) cut() {
	switch {
	case s.fd < 0:
	case s.unended():
		sys.Reset(int(s.fd))
	default:
		sys.Shutdown(int(s.fd), 2)
	}
}

// cut closes the connection of s without a close_notify. Any goroutine may call it.
func (l *layer) cut(s *Stream) error {
	c := beneath(l.conn)
	if tcp, ok := c.(*net.TCPConn); ok && s.unended() {
		_ = tcp.SetLinger(0)
	}
	return c.Close()
}

// beneath returns what is under the TLS, or other wrappers, that were not put on here.
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

// Cut makes every wait on s, under way or to come, end with ErrClosed, and cuts the connection. The
// stream is being served, and its owner closes it. The loop must be held, or the caller must serve
// a stream of the portable driver.
func (s *Stream) Cut() {
	if s.portable {
		_ = s.above.cut(s)
		return
	}
	s.fail()
}

// fail makes every wait on s, under way or to come, end with ErrClosed, and cuts the connection. It
// closes nothing: the owner does, when it notices. The loop must be held, and the descriptor open.
func (s *Stream) fail() {
	s.signs.Or(signFailed)
	s.cut()
	s.loop.signal(&s.input)
	s.loop.signal(&s.output)
}

// CutShort is Cut for a sender that had to stop in the middle: the peer would take what is sent next
// for the rest. Any goroutine may call it while the stream's owner waits for it.
func (s *Stream) CutShort() {
	if s.portable {
		_ = s.above.cut(s)
		return
	}
	s.signs.Or(signFailed)
	s.cut()
	s.nudge(&s.input)
	s.nudge(&s.output)
}

// Cutter returns a Closer that cuts a stream of the portable driver as Cut does, on any goroutine
// and however late; nil when the stream is closed.
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
