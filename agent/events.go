// Events of a request (seed: the events of http.ClientRequest). They are called by the
// goroutine that makes the call, while the call is under way; Abort is called by whichever
// goroutine calls ClientRequest.Abort, and for Trace see there.

package agent

import (
	"crypto/tls"
	"net"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// Events holds a function for each of the seed's events of a request. A nil function means
// what the seed does without a listener.
type Events struct {
	// Socket is called with the socket that the request will use (seed: 'socket').
	Socket func(s *Socket)
	// Continue is called on a 100 Continue, before the body is sent (seed: 'continue').
	Continue func()
	// Information is called on any other interim response except 101, such as 103. res is
	// valid until it returns.
	Information func(res *Response)
	// Connect is called when a CONNECT was accepted, with the socket and the bytes received
	// after the head (seed: 'connect'). The socket is then the application's to close. If
	// Connect is nil, Do fails with ErrTunnel, and the socket is closed.
	Connect func(res *Response, socket net.Conn, head []byte)
	// Upgrade is called when the server has switched protocols, with the same arguments as
	// Connect (seed: 'upgrade'). Unless the request asked for that protocol, with
	// "Connection: Upgrade" and an Upgrade field, a 101 is a *ProtocolError instead (RFC
	// 9110 §7.8).
	Upgrade func(res *Response, socket net.Conn, head []byte)
	// Response is called when the head of the response has been received (seed: 'response').
	Response func(res *Response)
	// Abort is called once, when ClientRequest.Abort is called (seed: 'abort').
	Abort func()
	// Trace, for calls of Do, follows the stages of the call.
	Trace *Trace
}

// interim reports an interim response.
func (e *Events) interim(r *Response) {
	switch {
	case r.machine.Status() == 100:
		r.wanted = true
		if e.Continue != nil {
			e.Continue()
		}
	case e.Information != nil:
		e.Information(r)
	}
	r.in.Release()
}

// awaitContinue waits until the server asks for the body, or Timeouts.Continue has passed,
// and reports whether the body is to be sent. If it is not, a final response has begun.
func (r *Response) awaitContinue(q *Request) (bool, error) {
	c, t := r.conn, &r.run.times
	c.ReadTimeout = int32(t.proceed)
	defer func() { c.ReadTimeout = t.response }()
	r.wanted = false
	for begun := false; ; {
		err := r.nextHead()
		switch {
		case err == loop.ErrTimeout && r.in.Unread() == 0 && r.ctx.Err() == nil:
			return true, nil
		case err == loop.ErrTimeout && r.in.Unread() > 0 && !begun && r.ctx.Err() == nil:
			c.ReadTimeout, begun = t.response, true // a head has begun: the timeout for heads applies
			continue
		case err != nil:
			return false, err
		case !r.machine.Interim():
			r.early = true
			return false, nil
		}
		if q.On.interim(r); r.wanted {
			return true, nil
		}
		c.ReadTimeout, begun = int32(t.proceed), false
	}
}

// offers reports whether the request asks for a switch to protocol.
func (q *Request) offers(protocol []byte) bool {
	var options h1.ConnectionOptions
	for value := range q.out.Headers.Values("Connection") {
		options |= h1.ParseConnection(value)
	}
	if options&h1.OptionUpgrade == 0 {
		return false
	}
	for value := range q.out.Headers.Values("Upgrade") {
		if bytesparse.ContainsToken(value, string(protocol)) {
			return true
		}
	}
	return false
}

// tunnel hands the socket of an accepted CONNECT or upgrade to its event.
func (r *Response) tunnel(q *Request) error {
	event := q.On.Connect
	if r.machine.Status() == 101 {
		if err := h1.CheckSwitch(&r.machine, r.in.HeadBytes(), &r.in.Head, q.offers); err != nil {
			return err
		}
		event = q.On.Upgrade
	}
	if event == nil {
		return ErrTunnel
	}
	if s := r.sender; s != nil && q.out.Planned().Body {
		// The rest of the body belongs before the tunnel, not into it (RFC 9110 §7.8).
		_ = r.await(&s.done, r.run.times.proceed)
	}
	if r.stopSending(false); !r.sent && q.out.Planned().Body {
		return ErrSwitched
	}
	c := r.conn
	if !c.unwatch(r.stop) {
		return loop.ErrOver
	}
	r.stop = nil
	c.lasting.end()
	head := r.in.Rest()
	socket := loop.NewConn(&c.Stream)
	if err := socket.Take(); err != nil {
		return err
	}
	r.conn = nil
	r.call.origin.detach(c)
	r.in.Sever(ErrAborted)
	event(r, socket, head)
	return nil
}

// Socket is the socket of a request that is under way. It must not be used once the response
// has been read to its end or closed: the socket may then serve another request.
type Socket struct {
	c    *conn
	conn *loop.Conn
}

// Reused reports whether an earlier request used the socket.
func (s *Socket) Reused() bool { return s.c.used }

// Detach takes the socket out of the agent (seed: 'agentRemove'): it no longer counts
// as one of its sockets, and is closed after this request.
func (s *Socket) Detach() { s.c.origin.detach(s.c) }

// SetNoDelay turns Nagle's algorithm off, which is the default, or on (seed:
// request.setNoDelay).
func (s *Socket) SetNoDelay(on bool) { s.c.SetNoDelay(on) }

// SetKeepAlive turns TCP keep-alive probes on, after msecs milliseconds without traffic,
// or off (seed: request.setSocketKeepAlive).
func (s *Socket) SetKeepAlive(on bool, msecs int) { s.c.SetKeepAlive(on, msecs) }

// LocalAddr returns the local address. It allocates.
func (s *Socket) LocalAddr() net.Addr { return s.net().LocalAddr() }

// RemoteAddr returns the address of the server, or of the proxy in between. It allocates.
func (s *Socket) RemoteAddr() net.Addr { return s.net().RemoteAddr() }

// NetConn returns the socket as a net.Conn, for the sake of its addresses. The agent owns
// it: bytes read or written through it are missing from the request. It allocates.
func (s *Socket) NetConn() net.Conn { return s.net() }

// TLS returns the state of the socket's TLS, nil for a plain socket.
func (s *Socket) TLS() *tls.ConnectionState { return s.c.secure }

func (s *Socket) net() *loop.Conn {
	if s.conn == nil {
		s.conn = loop.NewConn(&s.c.Stream)
	}
	return s.conn
}
