// Proxies: a plain request is sent to the proxy with its target in absolute form (RFC 9112
// §3.2.2); for https, CONNECT makes a tunnel first (RFC 9110 §9.3.6).

package agent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/exchange"
	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// proxy is the address of a proxy and the credentials for it.
type proxy struct {
	host string
	port int
	auth string // "user:password"
	tls  bool   // the connection to it uses TLS
}

var errProxy = errors.New("a proxy is given as http://user:password@host:port, or https")

// ProxyError is the refusal of a proxy to make a tunnel.
type ProxyError struct {
	Status int // the status of its response
}

// Error returns the status that the proxy responded with.
func (e *ProxyError) Error() string { return "the proxy has answered CONNECT with " + itoa(e.Status) }

func parseProxy(text string) (*proxy, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return nil, errProxy
	}
	p := &proxy{host: u.Hostname(), port: 80, tls: u.Scheme == "https"}
	if p.tls {
		p.port = 443
	}
	if port := u.Port(); port != "" {
		if p.port, err = strconv.Atoi(port); err != nil || p.port < 1 || p.port > 65535 {
			return nil, errProxy
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		p.auth = u.User.Username() + ":" + password
	}
	return p, nil
}

// identity tells proxies apart. It appears in errors, so it must not contain secrets, nor
// help to guess them: the hash is seeded for this process.
func (p *proxy) identity() string {
	name := p.host + ":" + itoa(p.port)
	if p.tls {
		name += ":tls"
	}
	if p.auth != "" {
		name += fmt.Sprintf("#%x", maphash.String(seed, p.auth))
	}
	return name
}

var seed = maphash.MakeSeed()

// greet does the TLS handshake with a proxy. nc stays open when it fails.
func (p *proxy) greet(ctx context.Context, o *origin, nc net.Conn) (net.Conn, error) {
	config := o.config()
	config.ServerName, config.ClientSessionCache = p.host, nil
	c := tls.Client(loop.DetectTruncation(nc), config)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// tunnel makes the proxy connect c to a server. It is called by the worker that owns c.
func (p *proxy) tunnel(c *conn, address string, run *running) error {
	c.ReadTimeout, c.WriteTimeout = run.times.response, run.times.write
	if ms := run.times.dial; ms > 0 {
		due := loop.DeadlineIn(ms)
		c.SetReadDeadline(due)
		c.SetWriteDeadline(due)
		defer c.SetReadDeadline(time.Time{})
		defer c.SetWriteDeadline(time.Time{})
	}
	head := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if p.auth != "" {
		head += basic("Proxy-Authorization", p.auth)
	}
	if _, err := c.Write([]byte(head + "\r\n")); err != nil {
		return err
	}
	var in exchange.Incoming
	var machine h1.Conn
	machine.Reset(h1.Client)
	machine.SetRequest(bytesparse.MethodConnect)
	in.Limits = &run.limits
	in.Attach(&c.Stream, &machine, nil)
	for {
		ev, err := in.Next()
		switch {
		case err != nil:
			return err
		case ev == h1.End:
			return ErrServerClosed
		case ev == h1.HeadDone && machine.Interim():
			continue
		case ev == h1.HeadDone && machine.Status() == 101:
			return h1.ErrUnasked
		case ev == h1.HeadDone && !machine.Tunnel():
			return &ProxyError{Status: machine.Status()}
		case ev == h1.HeadDone && in.Unread() > 0:
			return errEarly
		case ev == h1.HeadDone:
			return nil
		}
		if err := in.Await(); err != nil {
			return err
		}
	}
}

var errEarly = errors.New("the proxy has sent bytes through a tunnel that nobody had asked for yet")
