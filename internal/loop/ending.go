// The end of a stream as its peer sees it. An orderly end is a FIN, over TLS with a close_notify
// before it; only the close_notify tells a TLS peer that nothing was cut off (RFC 8446 §6.1). So a
// stream that is cut must end in another way (RFC 9112 §8, §9.8):
//
//	                        plain       TLS
//	orderly                 FIN         close_notify, FIN
//	cut: fail, suppressed   FIN         FIN        the message's framing tells the peer as well
//	cut, while incomplete   reset       reset      only the stream's end would have ended the message
//
// Many things cut a stream: a handler that panics, a timeout, Close of a Socket, of the server, of
// the group. Few of them know what is being sent; the stream does.

package loop

import (
	"io"
	"net"

	"github.com/gale-http/gale/internal/sys"
)

// SetIncomplete marks the message being sent, which ends with the stream, as not ended yet; false
// takes the mark back. As long as it is set, whatever ends the stream is a reset, where the
// transport has such a thing. The writer calls it, before the first byte.
func (s *Stream) SetIncomplete(on bool) {
	if on {
		s.signs.Or(signIncomplete)
		return
	}
	s.signs.And(^uint32(signIncomplete))
}

// FinishUntilClose ends a message that is marked incomplete, all of which has been written. Over
// TLS it sends a close_notify, waiting for the peer as Write does. When that fails the message
// stays marked.
func (s *Stream) FinishUntilClose() error {
	if t := s.transport; t != nil && t.tls != nil {
		if err := s.finishTLS(t); err != nil {
			return err
		}
	}
	s.SetIncomplete(false)
	return nil
}

func (s *Stream) finishTLS(t *transport) error {
	if !s.portable {
		t.closeNotify(direct)
		return t.wire.failure()
	}
	if err := s.armConn(false); err != nil {
		return err
	}
	t.wire.patient.Store(true) // crypto/tls would allow the peer five seconds only
	defer t.wire.patient.Store(false)
	return s.connError(t.tls.CloseWrite(), &s.output)
}

// SuppressCloseNotify makes the stream end without a close_notify: something was cut off.
func (s *Stream) SuppressCloseNotify() { s.signs.Or(signNoCloseNotify) }

func (s *Stream) incomplete() bool { return s.signs.Load()&signIncomplete != 0 }

// suppressesCloseNotify reports whether a TLS peer must not be told that the end is orderly.
func (s *Stream) suppressesCloseNotify() bool {
	return s.signs.Load()&(signNoCloseNotify|signIncomplete) != 0
}

// HalfClose tells the peer that nothing more will be sent, unless its message is incomplete. It does
// not wait: a slow TLS peer may not get the close_notify.
func (s *Stream) HalfClose() { s.halfClose(trying) }

func (s *Stream) halfClose(mode sendMode) {
	switch {
	case s.incomplete():
		return // its end is not orderly
	case s.portable:
		s.halfCloseConn()
		return
	case s.transport != nil && !s.suppressesCloseNotify():
		s.transport.closeNotify(mode)
	}
	s.shutdownWrite()
}

func (s *Stream) halfCloseConn() {
	t := s.transport
	under := t.conn
	if t.tls != nil {
		if !s.suppressesCloseNotify() {
			_ = t.tls.CloseWrite()
		}
		under = beneath(under)
	}
	if c, ok := under.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

func (s *Stream) shutdownWrite() { sys.Shutdown(int(s.fd), 1) }

// closeNotify sends a close_notify.
func (t *transport) closeNotify(mode sendMode) {
	t.wire.setMode(mode)
	_ = t.tls.CloseWrite()
}

// closeTLS ends TLS on a stream that is being closed, with as much of the close_notify as the
// kernel takes now.
func (s *Stream) closeTLS() {
	if s.transport == nil {
		return
	}
	if !s.suppressesCloseNotify() {
		s.transport.closeNotify(trying)
	}
	s.transport.wire.releaseBuffer()
	s.transport = nil
}

// closeConn closes a stream over a net.Conn, with a close_notify first unless that is suppressed.
func (s *Stream) closeConn() {
	s.loop.group.drop(s)
	t := s.transport
	if s.suppressesCloseNotify() {
		_ = t.cut(s)
		if beneath(t.conn) != t.conn {
			_ = t.conn.Close() // it can send nothing by now, but a wrapper may count open connections
		}
	} else {
		_ = t.top().Close()
	}
	s.transport = nil
}

// closeFD closes the descriptor, which resets a connection whose message is incomplete.
func (s *Stream) closeFD() {
	if s.incomplete() {
		sys.ResetOnClose(int(s.fd))
	}
	sys.Close(int(s.fd))
	s.fd = -1
}

// cut ends the connection of a stream over a descriptor; the descriptor stays open.
func (s *Stream) cut() {
	switch {
	case s.fd < 0:
	case s.incomplete():
		sys.Reset(int(s.fd))
	default:
		sys.Shutdown(int(s.fd), 2)
	}
}

// cut closes the connection of s without a close_notify. Any goroutine may call it.
func (t *transport) cut(s *Stream) error {
	c := beneath(t.conn)
	if tcp, ok := c.(*net.TCPConn); ok && s.incomplete() {
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
		_ = s.transport.cut(s)
		return
	}
	s.fail()
}

// fail makes every wait on s, under way or to come, end with ErrClosed, and cuts the connection. It
// closes nothing: the owner does, when it notices. The loop must be held, and the descriptor open.
func (s *Stream) fail() {
	s.signs.Or(signFailed)
	s.cut()
	s.loop.wakeOrMark(&s.input)
	s.loop.wakeOrMark(&s.output)
}

// CutShort is Cut for a sender that had to stop in the middle: the peer would take what is sent next
// for the rest. Any goroutine may call it while the stream's owner waits for it.
func (s *Stream) CutShort() {
	if s.portable {
		_ = s.transport.cut(s)
		return
	}
	s.signs.Or(signFailed)
	s.cut()
	s.wakeFromOutside(&s.input)
	s.wakeFromOutside(&s.output)
}

// Cutter returns a Closer that cuts a stream of the portable driver as Cut does, on any goroutine
// and however late; nil when the stream is closed.
func (s *Stream) Cutter() io.Closer {
	if s.transport == nil {
		return nil
	}
	return cutter{s, s.transport}
}

type cutter struct {
	stream    *Stream
	transport *transport
}

// Close implements io.Closer.
func (c cutter) Close() error { return c.transport.cut(c.stream) }
