// TLS: crypto/tls on the loops. A connection is served with a handshake first, which
// runs as handlers do, since it calls the user's functions; from then on its stream
// reads and writes through TLS, and nothing else here knows of it. Who was chosen by
// ALPN for another protocol gets the connection.

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

// errNoTLS is what a client deserves that speaks HTTP where it should begin with TLS.
var errNoTLS error = &ProtocolError{Status: 400, Msg: "an HTTP request without TLS", Offset: -1}

// http1 is what we speak ourselves, by its names in ALPN (RFC 7301).
var http1 = []string{"http/1.1", "http/1.0"}

// tlsConfig returns Server.TLS as connections use it: NextProto's protocols come
// first, and HTTP/2 is offered only if it is among them.
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

// shake shakes hands on a connection that has just begun, if its client has said
// something; on a goroutine, if that is expected to take long: signing with RSA does, and so
// may what the config calls.
func (x *responder) shake() {
	c := x.conn
	begun, err := x.hello()
	switch {
	case err != nil:
		x.unshaken(err)
	case len(begun) == 0 && !c.Portable():
		x.res.out.Detach()
		x.req.in.Discard()
		c.mode = modeShake
		c.Rest(c.restUntil(), false)
	default:
		left := int64(0)
		if c.headDue != 0 {
			left = max(1, c.headDue-c.Tick())
			c.headDue = 0
		}
		if !x.expectLongShake() {
			x.goOn(x.shakeHands(begun, left))
			return
		}
		x.worker.HandOff(&c.Stream, func(w *loop.Worker) { // begun goes with the responder
			x := responderOf(w)
			x.goOn(x.shakeHands(begun, left))
		})
	}
}

// shakeHands shakes hands with a client that has begun to, for at most left milliseconds, and
// reports whether the connection is to be served on, as HTTP.
func (x *responder) shakeHands(begun []byte, left int64) bool {
	c := x.conn
	start, config := tls.Server, x.server.run.tls
	if over, ok := c.NetConn().(*tls.Conn); ok { // a listener's own
		start = func(net.Conn, *tls.Config) *tls.Conn { return over }
	}
	var err error
	x.worker.Begin(&c.Stream)
	what := x.tell("the handshake of TLS", func() { err = c.HandshakeAfter(begun, start, config, left) })
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
		x.unshaken(err)
	default:
		return x.chosen(c.TLS().NegotiatedProtocol)
	}
	return false
}

// hello reads what there is of a client's first words: a connection on which there are
// none needs no worker to wait for them.
func (x *responder) hello() ([]byte, error) {
	if x.conn.Portable() {
		return nil, nil
	}
	scratch := x.scratch()
	n, err := x.conn.TryRead(scratch)
	return scratch[:n], err
}

// chosen gives the connection to whom the client has chosen, and reports whether that
// is us.
func (x *responder) chosen(proto string) bool {
	switch give := x.server.NextProto[proto]; {
	case give != nil:
		x.giveAway(proto, give)
	case proto == "" || slices.Contains(http1, proto):
		return true
	default:
		x.finish(false) // the handshake was all that was asked for, as with acme-tls/1
	}
	return false
}

// giveAway ends the server's part in a connection and has give take it on.
func (x *responder) giveAway(proto string, give func(*tls.Conn)) {
	c := x.conn
	s := x.server
	x.req.in.Discard()
	x.res.out.Detach()
	over, err := c.TakeTLS()
	if err != nil {
		x.finish(false)
		return
	}
	c.mode = modeTaken
	s.gone()
	go s.tellAside(fmt.Sprintf("NextProto[%q]", proto), func() { give(over) }, func() { _ = over.NetConn().Close() })
	switch {
	case c.Portable() || !x.worker.Lost():
		c.close()
	case !c.Loop().Post(func(*loop.Loop) { c.close() }):
		c.part()
	}
}

// unshaken ends a connection whose handshake has failed. What there is to say about
// it in TLS has been said.
func (x *responder) unshaken(err error) {
	var plain tls.RecordHeaderError
	switch {
	case errors.As(err, &plain) && looksLikeHTTP(plain.RecordHeader[:]):
		x.refuse(errNoTLS)
	case x.server.On.ClientError != nil:
		x.failed(err)
	default:
		if err != io.EOF && !x.server.run.closing.Load() { // else it never began, or we ended it
			x.worker.Begin(&x.conn.Stream)
			x.server.logf("gale: no TLS with %v: %v", x.conn.socket().RemoteAddr(), err)
			x.worker.End()
		}
		x.finish(true) // so that it can read our alert
	}
}

// looksLikeHTTP reports whether that is how a request of HTTP begins.
func looksLikeHTTP(begin []byte) bool {
	for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH", "CONNE"} {
		if bytes.HasPrefix(begin, []byte(method)) {
			return true
		}
	}
	return false
}
