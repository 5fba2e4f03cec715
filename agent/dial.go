// Making a socket: name lookup, connection, proxy tunnel and TLS handshake. Coroutines of
// the loop that the socket is going to live on do this. The caller waits at a gate and may
// give up at any time; a socket that is ready after that is kept for other calls, if it is
// wanted.

package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// dialling is the state of a socket being made.
type dialling struct {
	origin *origin
	loop   *loop.Loop
	gate   loop.Gate
	state  atomic.Uint32 // waits, granted, left: as in waiter
	conn   *conn
	trace  *Trace
	op     string // the operation that failed
	err    error
}

// dial makes a socket, whose place has been reserved, and gives it to the call.
func (r *Response) dial() error {
	o := r.call.origin
	l, err := r.dialLoop()
	if err != nil {
		o.unreserve()
		return &Error{"dial", o.name, err}
	}
	d := &dialling{origin: o, loop: l, trace: r.trace, op: "dial"}
	d.start()
	if err := r.await(&d.gate, r.run.times.dial); err != nil && d.state.CompareAndSwap(waits, left) {
		return r.waitError("dial", err)
	}
	if d.err != nil {
		return &Error{d.op, o.name, d.err}
	}
	return r.adopt(d.conn)
}

// dialLoop returns the loop that the call's socket is to live on.
func (r *Response) dialLoop() (*loop.Loop, error) {
	if r.worker != nil && !r.call.origin.viaNet() && !r.run.agent.Portable {
		return r.worker.Loop(), nil
	}
	g, err := r.run.loops()
	if err != nil {
		return nil, err
	}
	return g.Next(), nil
}

// viaNet reports whether package net, not the loop, makes the connections: through Agent.Dial,
// or because there is a proxy that is spoken to over TLS.
func (o *origin) viaNet() bool {
	return o.run.agent.Dial != nil || o.site.proxy != nil && o.site.proxy.tls
}

// deliver ends the dialling with a socket, which is shared and in use.
func (d *dialling) deliver(c *conn) {
	o := d.origin
	o.opened(c)
	d.conn = c
	switch {
	case d.state.CompareAndSwap(waits, granted):
		d.gate.Open()
	case o.wanted():
		o.offer(c, false)
	default:
		c.discard()
	}
}

// fail ends the dialling with an error.
func (d *dialling) fail(op string, err error) {
	d.op, d.err = op, err
	if d.state.CompareAndSwap(waits, granted) {
		d.gate.Open()
	}
	d.origin.unreserve()
}

// failWith is fail for a connection that is there already. Closing it may call user code.
func (d *dialling) failWith(end func() error, op string, err error) {
	_ = guarded("closing a connection", end, func(error) { d.fail(op, err) })
	d.fail(op, err)
}

// start determines the address and connects to it. It does not wait.
func (d *dialling) start() {
	s := &d.origin.site
	host, port := s.host, s.port
	if s.proxy != nil {
		host, port = s.proxy.host, s.proxy.port
	}
	switch ip, err := netip.ParseAddr(host); {
	case d.origin.viaNet():
		go d.dialNet(net.JoinHostPort(host, itoa(port)))
	case s.socket != "":
		d.connect([]sys.Addr{{Path: s.socket}})
	case err == nil && s.suits(ip):
		d.connect([]sys.Addr{{IP: netip.AddrPortFrom(ip, uint16(port))}})
	case err == nil:
		d.fail("resolve", errNoAddress)
	default:
		go d.resolve(host, uint16(port))
	}
}

// suits reports whether an address is of the family asked for, and of the family of the local
// address.
func (s *site) suits(ip netip.Addr) bool {
	is4 := ip.Unmap().Is4()
	return (s.family == 0 || s.family == 4 && is4 || s.family == 6 && !is4) &&
		(!s.from.IsValid() || s.from.Unmap().Is4() == is4)
}

// resolve looks host up and connects to one of its addresses.
func (d *dialling) resolve(host string, port uint16) {
	run := d.origin.run
	var ips []netip.Addr
	failed := func(err error) { d.fail("resolve", err) }
	if err := guarded("the name lookup", func() (err error) {
		d.trace.resolveStart(host)
		ips, err = run.resolver.lookup(host, run.times.dial)
		d.trace.resolveDone(ips, err)
		return err
	}, failed); err != nil {
		failed(err)
		return
	}
	var addrs []sys.Addr
	for _, ip := range ips {
		if d.origin.site.suits(ip) {
			addrs = append(addrs, sys.Addr{IP: netip.AddrPortFrom(ip, port)})
		}
	}
	if len(addrs) == 0 {
		d.fail("resolve", errNoAddress)
		return
	}
	d.connect(addrs)
}

// connect connects to one of the addresses.
func (d *dialling) connect(addrs []sys.Addr) {
	if len(addrs) > 1 {
		go d.race(interleave(addrs))
		return
	}
	d.run(func(w *loop.Worker) {
		c, err := d.attempt(w, addrs[0])
		if err != nil {
			d.fail("dial", err)
			return
		}
		d.complete(w, c)
	})
}

// run calls fn on a worker of the loop.
func (d *dialling) run(fn func(*loop.Worker)) {
	if !d.loop.Go(fn) {
		d.fail("dial", ErrDestroyed)
	}
}

// attempt connects to one address. The socket becomes an own stream of the worker.
func (d *dialling) attempt(w *loop.Worker, addr sys.Addr) (*conn, error) {
	c := newConn(d.origin)
	from := sys.Addr{}
	if s := &d.origin.site; s.from.IsValid() && addr.Path == "" {
		from.IP = netip.AddrPortFrom(s.from, 0)
	}
	if err := c.ConnectFrom(w, from, addr, d.origin.run.times.dial); err != nil {
		return nil, err
	}
	c.Become(c)
	return c, nil
}

// complete prepares a connection for its first request (keep-alive probes, proxy tunnel,
// TLS) and delivers it. The worker holds the loop, if it ever had one, and owns the stream.
func (d *dialling) complete(w *loop.Worker, c *conn) {
	run, s := d.origin.run, &d.origin.site
	if ms := orDefault(run.agent.KeepAliveMsecs, defaultProbe); ms > 0 && run.keepAlive {
		c.SetKeepAlive(true, ms)
	}
	if !s.secure {
		d.hand(c)
		return
	}
	if s.proxy != nil {
		failed := func(err error) { d.failWith(c.end, "proxy", err) }
		if err := guarded("asking the proxy", func() error { return s.proxy.tunnel(c, s.address(), run) }, failed); err != nil {
			failed(err)
			return
		}
	}
	w.BeginAside(nil)
	handshakeDone := func(err error) { d.handshakeDone(w, c, err) }
	handshakeDone(guarded("the TLS handshake", func() error {
		d.trace.handshakeStart()
		err := c.Handshake(tls.Client, d.origin.config(), run.times.dial)
		if err == nil {
			c.secure = c.TLS()
		}
		d.trace.handshakeDone(c.secure, err)
		return err
	}, handshakeDone))
}

// handshakeDone delivers a connection after its TLS handshake. It does not wait.
func (d *dialling) handshakeDone(w *loop.Worker, c *conn, err error) {
	switch held := w.End(); {
	case !held && !c.Portable():
		d.handLate(c, err)
	case err != nil:
		d.failWith(c.end, "tls", err)
	default:
		d.hand(c)
	}
}

// hand delivers a connection that the worker owns.
func (d *dialling) hand(c *conn) {
	if !c.Portable() {
		c.share()
	}
	d.deliver(c)
}

// handLate delivers a connection whose worker lost the loop during the TLS handshake.
func (d *dialling) handLate(c *conn, err error) {
	given := c.Hand(func(loop.Task) {
		if err != nil {
			c.Close()
			d.fail("tls", err)
			return
		}
		c.share()
		d.deliver(c)
	})
	if !given {
		d.fail("tls", ErrDestroyed)
	}
}

// config returns the TLS configuration for the origin's server.
func (o *origin) config() *tls.Config {
	base := o.site.config
	if base == nil {
		base = o.run.agent.TLS
	}
	c := new(tls.Config)
	if base != nil {
		c = base.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = o.site.zoneless()
	}
	// A resumed session keeps the identity of the original one, and that is not verified
	// again. So sessions are kept per origin, and not at all for a config from Route, or one
	// with a verification function, without a cache of its own.
	if c.ClientSessionCache == nil && o.site.config == nil && c.VerifyPeerCertificate == nil && c.VerifyConnection == nil {
		c.ClientSessionCache = o.sessions
	}
	if c.NextProtos == nil {
		c.NextProtos = []string{"http/1.1"}
	}
	return c
}

var errNoConn = errors.New("Agent.Dial has returned neither a connection nor an error")

// dialNet connects through Agent.Dial or, without it, through package net.
func (d *dialling) dialNet(address string) {
	run, network := d.origin.run, "tcp"
	if path := d.origin.site.socket; path != "" {
		network, address = "unix", path
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if ms := run.times.dial; ms > 0 {
		ctx, cancel = context.WithTimeout(ctx, duration(ms))
		defer cancel()
	}
	dial, proxy := run.agent.Dial, d.origin.site.proxy
	if dial == nil {
		dial = d.origin.site.dial
	}
	var nc net.Conn
	failed := func(err error) { d.fail("dial", err) }
	if err := guarded("Agent.Dial", func() (err error) {
		if nc, err = dial(ctx, network, address); err == nil && nc == nil {
			err = errNoConn
		}
		return err
	}, failed); err != nil {
		failed(err)
		return
	}
	if proxy != nil && proxy.tls {
		plain := nc
		failed = func(err error) { d.failWith(plain.Close, "proxy", err) }
		if err := guarded("the TLS handshake with the proxy", func() (err error) {
			nc, err = proxy.greet(ctx, d.origin, plain)
			return err
		}, failed); err != nil {
			failed(err)
			return
		}
	}
	if !d.loop.Group().Portable() {
		if fd, err := descriptorOf(nc); err == nil {
			_ = nc.Close() // closes package net's descriptor; the duplicate keeps the socket open
			if !d.loop.Go(func(w *loop.Worker) { d.adopt(w, fd) }) {
				sys.Close(fd)
				d.fail("dial", ErrDestroyed)
			}
			return
		}
	}
	if !d.loop.Goroutine(func(w *loop.Worker) {
		c := newConn(d.origin)
		c.OpenConn(w, nc, c)
		d.complete(w, c)
	}) {
		d.failWith(nc.Close, "dial", ErrDestroyed)
	}
}

// dial connects through package net.
func (s *site) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var dialer net.Dialer
	if s.from.IsValid() {
		dialer.LocalAddr = loop.NetAddr(sys.Addr{IP: netip.AddrPortFrom(s.from, 0)})
	}
	if s.family != 0 {
		network += itoa(s.family)
	}
	return dialer.DialContext(ctx, network, address)
}

// adopt takes over the descriptor of a connected socket.
func (d *dialling) adopt(w *loop.Worker, fd int) {
	c := newConn(d.origin)
	if err := c.Open(w.Loop(), fd, c); err != nil {
		sys.Close(fd)
		d.fail("dial", err)
		return
	}
	c.Take(w)
	d.complete(w, c)
}
