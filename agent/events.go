// Events of a request (seed: the events of http.ClientRequest). They are called by the
// goroutine that makes the call, while that is under way.

package agent

import (
	"crypto/tls"
	"net"

	"github.com/gale-http/gale/internal/loop"
)

// Events are the seed's events of a request; nil does what the seed does when nobody
// listens.
type Events struct {
	// Socket is told which socket the request has got (seed: 'socket').
	Socket func(s *Socket)
	// Continue is told of a 100, before the body is sent (seed: 'continue').
	Continue func()
	// Information is told of any other interim response but 101, such as 103. What it is
	// given is valid until it returns.
	Information func(res *Response)
	// Connect gets the socket when a CONNECT was accepted, and what was received behind
	// the head (seed: 'connect'). The socket is its to close. Without it Do fails with
	// ErrTunnel, and the socket is closed.
	Connect func(res *Response, socket net.Conn, head []byte)
	// Upgrade gets the socket when the protocol was switched, as Connect does (seed:
	// 'upgrade').
	Upgrade func(res *Response, socket net.Conn, head []byte)
	// Response is told of the answer's head (seed: 'response').
	Response func(res *Response)
	// Abort is told that ClientRequest.Abort was called, once (seed: 'abort').
	Abort func()
	// Trace, of a call of Do, is told what that comes through.
	Trace *Trace
}

// interim tells of an interim response.
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

// awaitContinue waits until the server wants the body, or has had its time, and reports
// whether the body is to be sent. When it is not, an answer has begun to come.
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
			c.ReadTimeout, begun = t.response, true // a head has begun: it has the time of one
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

// tunnel hands the socket of an accepted CONNECT, or upgrade, to its event.
func (r *Response) tunnel(q *Request) error {
	event := q.On.Connect
	if r.machine.Status() == 101 {
		event = q.On.Upgrade
	}
	if event == nil {
		return ErrTunnel
	}
	if s := r.sender; s != nil && q.out.Planned().Body {
		// The rest of the body does not belong into the tunnel, and before it (RFC 9110 §7.8).
		_ = r.await(&s.left, r.run.times.proceed)
	}
	if r.unsend(false); !r.sent && q.out.Planned().Body {
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

// Socket is the socket of a request, while that is under way.
type Socket struct {
	c    *conn
	conn *loop.Conn
}

// Reused tells whether another request has used the socket before.
func (s *Socket) Reused() bool { return s.c.used }

// Detach takes the socket out of the agent (seed: 'agentRemove'): it counts no longer
// as one of its sockets, and is closed after this request.
func (s *Socket) Detach() { s.c.origin.detach(s.c) }

// SetNoDelay turns Nagle's algorithm off, as it is from the beginning, or on (seed:
// request.setNoDelay).
func (s *Socket) SetNoDelay(on bool) { s.c.SetNoDelay(on) }

// SetKeepAlive turns TCP probes on, after msecs milliseconds without traffic, or off
// (seed: request.setSocketKeepAlive).
func (s *Socket) SetKeepAlive(on bool, msecs int) { s.c.SetKeepAlive(on, msecs) }

// LocalAddr returns the address of this end. It allocates.
func (s *Socket) LocalAddr() net.Addr { return s.net().LocalAddr() }

// RemoteAddr returns the address of the server, or of the proxy. It allocates.
func (s *Socket) RemoteAddr() net.Addr { return s.net().RemoteAddr() }

// NetConn returns the socket as a net.Conn, for its addresses. It is the agent's: what is
// written or read through it is missing from the request. It allocates.
func (s *Socket) NetConn() net.Conn { return s.net() }

// TLS returns the state of the socket's TLS, nil when it is plain.
func (s *Socket) TLS() *tls.ConnectionState { return s.c.secure }

func (s *Socket) net() *loop.Conn {
	if s.conn == nil {
		s.conn = loop.NewConn(&s.c.Stream)
	}
	return s.conn
}
