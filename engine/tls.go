// TLS: crypto/tls on the loops. Serving a connection begins with a handshake, which runs like a
// handler because it calls user functions. From then on its stream reads and writes through TLS,
// and the rest of the engine does not notice. If the client selects another protocol by ALPN, that
// protocol's function gets the connection.

package engine

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/gale-http/gale/internal/loop"
)

// errNoTLS refuses a client that speaks plain HTTP where TLS is expected.
var errNoTLS error = &ProtocolError{Status: 400, Msg: "an HTTP request without TLS", Offset: -1}

// http1 lists what the engine speaks itself, by the ALPN names (RFC 7301).
var http1 = []string{"http/1.1", "http/1.0"}

// tlsConfig returns Server.TLS as connections use it: the protocols of NextProto come first, and
// HTTP/2 is offered only if it is among them.
func (s *Server) tlsConfig() (*tls.Config, error) {
	if s.TLS == nil {
		return nil, nil
	}
	c := s.TLS.Clone()
	if len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil {
		return nil, errors.New("gale: Server.TLS has no certificate: set Certificates or GetCertificate")
	}
	protos := make([]string, 0, len(s.NextProto)+len(c.NextProtos)+1)
	for name := range s.NextProto {
		if !slices.Contains(c.NextProtos, name) {
			protos = append(protos, name)
		}
	}
	slices.Sort(protos)
	for _, name := range c.NextProtos {
		if name != "h2" || s.NextProto[name] != nil {
			protos = append(protos, name)
		}
	}
	if !slices.Contains(protos, http1[0]) {
		protos = append(protos, http1[0])
	}
	c.NextProtos = protos
	return c, nil
}

// startHandshake begins the handshake on a new connection if its client has sent something; on a
// pooled goroutine if that is expected to take long, as signing with RSA does, and as functions of
// the config may.
func (x *responder) startHandshake() {
	c := x.conn
	begun, err := x.readHello()
	switch {
	case err != nil:
		x.handshakeFailed(err)
	case len(begun) == 0 && !c.Portable():
		x.res.out.Detach()
		x.req.in.Discard()
		c.mode = modeHandshake
		c.Rest(c.restUntil(), false)
	default:
		left := int64(0)
		if c.headDue != 0 {
			left = max(1, c.headDue-c.Tick())
			c.headDue = 0
		}
		if !x.expectLongHandshake() {
			x.goOn(x.handshake(begun, left))
			return
		}
		x.worker.HandOff(&c.Stream, func(w *loop.Worker) { // begun goes with the responder
			x := responderOf(w)
			x.goOn(x.handshake(begun, left))
		})
	}
}

// handshake completes the handshake with a client whose first bytes are begun, in at most left
// milliseconds (0: no timeout), and reports whether to go on with HTTP on the connection.
func (x *responder) handshake(begun []byte, left int64) bool {
	c := x.conn
	start, config := tls.Server, x.server.run.tls
	if tlsConn, ok := c.NetConn().(*tls.Conn); ok { // a TLS listener's
		start = func(net.Conn, *tls.Config) *tls.Conn { return tlsConn }
	}
	var err error
	x.worker.BeginAside(&c.Stream)
	what := x.callUser("the handshake of TLS", func() { err = c.HandshakeAfter(begun, start, config, left) })
	if what == exited {
		return false
	}
	if x.worker.End() {
		x.worker.Key = 0
	}
	switch {
	case what == panicked:
		x.finish(false)
	case err != nil:
		x.handshakeFailed(err)
	default:
		return x.negotiated(c.TLS().NegotiatedProtocol)
	}
	return false
}

// readHello reads the first bytes that a client has sent, if any: a connection without input does not
// tie up a worker.
func (x *responder) readHello() ([]byte, error) {
	if x.conn.Portable() {
		return nil, nil
	}
	scratch := x.scratch()
	n, err := x.conn.TryRead(scratch)
	return scratch[:n], err
}

// negotiated passes the connection on according to the protocol that the client has selected, and
// reports whether the engine serves it.
func (x *responder) negotiated(proto string) bool {
	switch give := x.server.NextProto[proto]; {
	case give != nil:
		x.handToNextProto(proto, give)
	case proto == "" || slices.Contains(http1, proto):
		return true
	default:
		x.finish(false) // the handshake was all that was asked for, as with acme-tls/1
	}
	return false
}

// handToNextProto ends the server's part in a connection and lets give continue with it.
func (x *responder) handToNextProto(proto string, give func(*tls.Conn)) {
	c := x.conn
	s := x.server
	x.req.in.Discard()
	x.res.out.Detach()
	tlsConn, err := c.TakeTLS()
	if err != nil {
		x.finish(false)
		return
	}
	c.mode = modeTaken
	s.connDone()
	go s.callUserAside(fmt.Sprintf("NextProto[%q]", proto), func() { give(tlsConn) }, func() { _ = tlsConn.NetConn().Close() })
	switch {
	case c.Portable() || !x.worker.Lost():
		c.close()
	case !c.Loop().Post(func(*loop.Loop) { c.close() }):
		c.invalidate()
	}
}

// handshakeFailed ends a connection whose handshake has failed. crypto/tls has already sent any alert.
func (x *responder) handshakeFailed(err error) {
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &plain) && looksLikeHTTP(plain.RecordHeader[:]):
		x.refuse(errNoTLS)
	case x.server.On.ClientError != nil:
		x.connFailed(err)
	default:
		if err != io.EOF && !x.server.run.closing.Load() { // otherwise it never began, or the server ended it
			x.worker.BeginAside(&x.conn.Stream)
			x.server.logf("gale: no TLS with %v: %v", x.conn.socket().RemoteAddr(), err)
			x.worker.End()
		}
		x.finish(true) // so that the client can read the alert
	}
}

// looksLikeHTTP reports whether an HTTP request may begin with these bytes.
func looksLikeHTTP(begin []byte) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH", "CONNE"} {
		if bytes.HasPrefix(begin, []byte(method)) {
			return true
		}
	}
	return false
}
