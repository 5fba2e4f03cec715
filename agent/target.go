// The target of a request: the origin, and the parts of the head that follow from the
// request's options. It is kept for as long as the options are the same.

package agent

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// target is what follows from a request's options.
type target struct {
	run           *running
	origin        *origin
	originOptions originOptions
	lineOptions   lineOptions
	tls           *tls.Config
	hostLine      string // "Host: …" with its CRLF
	auth          string // "Authorization: …", or empty
	proxyAuth     string // "Proxy-Authorization: …", or empty
	prefix        string // what goes before the path: scheme and authority for a forward proxy
	urlPath       string // the path and query of URL

	path       string
	methodName string
	method     bytesparse.Method
	keepAlive  bool
	bare       bool   // only URL has selected the origin
	edition    uint32 // counts changes to the parts of the head

	lane *lane // the lane of the origin that the request last used
}

// originOptions holds the options that select the origin.
type originOptions struct {
	url, host, hostname, auth       string
	port, family                    int
	localAddress, socketPath, proxy string
}

// lineOptions holds the other options that the head is made from.
type lineOptions struct{ method, path string }

// originOptions returns the options that select the origin.
func (q *Request) originOptions() originOptions {
	return originOptions{q.URL, q.Host, q.Hostname, q.Auth, q.Port, q.Route.Family, q.Route.LocalAddress, q.Route.SocketPath, q.Route.Proxy}
}

// resolve finds the origin of a request and prepares its target.
func (r *running) resolve(q *Request) (*origin, error) {
	t := &q.target
	if t.run != r || t.tls != q.Route.TLS || t.origin.retired() || !t.sameOrigin(q) {
		if err := t.find(r, q); err != nil {
			t.run = nil
			return nil, err
		}
	}
	if t.methodName == "" || t.lineOptions.method != q.Method || t.lineOptions.path != q.Path {
		t.edition++
		if err := t.prepareLine(lineOptions{q.Method, q.Path}); err != nil {
			t.methodName = ""
			return nil, err
		}
		q.rawValid = false
	}
	if !q.rawValid && len(q.raw) > 0 {
		if !bytesparse.IsTarget(q.raw) || !t.suits(q.raw) {
			return nil, &Error{"request", t.origin.name, fmt.Errorf("%w: %q", errPath, q.raw)}
		}
		q.rawValid = true
	}
	return t.origin, nil
}

// sameOrigin reports whether the options that select the origin are unchanged.
func (t *target) sameOrigin(q *Request) bool {
	if t.bare && q.bare() {
		return t.originOptions.url == q.URL
	}
	return t.originOptions == q.originOptions()
}

// bare reports whether URL is the only option that selects the origin.
func (q *Request) bare() bool {
	return len(q.Host)|len(q.Hostname)|len(q.Auth)|q.Port|q.Route.Family|
		len(q.Route.LocalAddress)|len(q.Route.SocketPath)|len(q.Route.Proxy) == 0
}

// prepareLine prepares the request line.
func (t *target) prepareLine(w lineOptions) error {
	t.lineOptions, t.methodName, t.path = w, w.method, w.path
	if t.methodName == "" {
		t.methodName = "GET"
	}
	if !bytesparse.IsToken(t.methodName) {
		return &Error{"request", t.origin.name, fmt.Errorf("%w: %q", errMethod, w.method)}
	}
	t.method = bytesparse.LookupMethod([]byte(t.methodName))
	if t.path == "" {
		t.path = t.urlPath
	}
	if !bytesparse.IsTarget(t.path) || !t.suits([]byte(t.path)) {
		return &Error{"request", t.origin.name, fmt.Errorf("%w: %q", errPath, t.path)}
	}
	if t.prefix != "" {
		t.path = string(t.appendTarget(nil, []byte(t.path)))
	}
	return nil
}

// appendTarget appends the target in the form that the next hop expects: for a proxy with
// scheme and authority, which replace "*" (RFC 9112 §3.2.4).
func (t *target) appendTarget(dst, path []byte) []byte {
	if t.prefix == "" || t.method == bytesparse.MethodConnect {
		return append(dst, path...)
	}
	dst = append(dst, t.prefix...)
	if path[0] == '*' {
		return dst
	}
	return append(dst, path...)
}

// suits reports whether the method allows a target of this form (RFC 9112 §3.2).
func (t *target) suits(target []byte) bool {
	switch {
	case t.method == bytesparse.MethodConnect:
		return h1.ValidTunnel(target)
	case target[0] == '*':
		return len(target) == 1 && t.method == bytesparse.MethodOptions
	}
	return target[0] == '/'
}

// find determines the origin.
func (t *target) find(r *running, q *Request) error {
	s := site{host: "localhost", family: q.Route.Family, local: q.Route.LocalAddress, socket: q.Route.SocketPath, config: q.Route.TLS}
	auth, path := q.Auth, "/"
	if q.URL != "" {
		u, err := url.Parse(q.URL)
		switch {
		case err != nil:
			return &Error{"request", redact(q.URL), badURL(q.URL, err)}
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Opaque != "":
			return &Error{"request", redact(q.URL), errURL}
		}
		s.secure, s.host = u.Scheme == "https", u.Hostname()
		if p := u.Port(); p != "" {
			if s.port, err = strconv.Atoi(p); err != nil || s.port == 0 {
				return &Error{"request", redact(q.URL), errPort}
			}
		}
		if path = h1.EscapeTarget(u.RequestURI()); u.User != nil && auth == "" {
			password, _ := u.User.Password()
			auth = u.User.Username() + ":" + password
		}
	}
	switch {
	case q.Hostname != "":
		s.host = q.Hostname
	case q.Host != "":
		s.host = q.Host
	}
	if q.Port != 0 {
		s.port = q.Port
	}
	if err := s.check(q.Route.Proxy); err != nil {
		return &Error{"request", redact(s.authority()), err}
	}
	*t = target{run: r, originOptions: q.originOptions(), bare: q.bare(), keepAlive: r.asks, edition: t.edition + 1, tls: q.Route.TLS, urlPath: path, hostLine: "Host: " + s.authority() + "\r\n"}
	if auth != "" {
		t.auth = basic("Authorization", auth)
	}
	if s.proxy != nil && !s.secure {
		t.prefix = "http://" + s.authority()
		if s.proxy.auth != "" {
			t.proxyAuth = basic("Proxy-Authorization", s.proxy.auth)
		}
	}
	t.origin = r.names.get(r, &s)
	return nil
}

// redact returns text, which is a URL or was meant to be one, without user information.
func redact(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	scheme, _, found := strings.Cut(text[:at], "://")
	if !found {
		return text[at+1:]
	}
	return scheme + "://" + text[at+1:]
}

// badURL returns why a URL cannot be parsed, without details if they might quote a password.
func badURL(text string, err error) error {
	var e *url.Error
	if strings.Contains(text, "@") || !errors.As(err, &e) {
		return errURL
	}
	return e.Err
}

// site is the address of a server and the route to it.
type site struct {
	host   string
	port   int
	secure bool
	family int
	local  string
	socket string
	config *tls.Config
	proxy  *proxy
	from   netip.Addr // local, parsed
}

// check completes and validates the site.
func (s *site) check(proxyURL string) error {
	s.host = strings.Trim(s.host, "[]")
	if s.port == 0 {
		s.port = 80
		if s.secure {
			s.port = 443
		}
	}
	var err error
	switch {
	case s.port < 1 || s.port > 65535:
		return errPort
	case s.host == "" || strings.Contains(s.host, "@") || !bytesparse.ValidHost([]byte(s.authority())):
		return errHost
	case s.zoneless() != s.host && !isAddress(s.host):
		return errHost
	case s.family != 0 && s.family != 4 && s.family != 6:
		return errFamily
	}
	if s.local != "" {
		if s.from, err = netip.ParseAddr(s.local); err != nil {
			return errLocal
		}
	}
	if proxyURL != "" && s.socket == "" {
		s.proxy, err = parseProxy(proxyURL)
	}
	return err
}

// zoneless returns the host without the zone of an IPv6 address, which has a meaning on this
// machine only.
func (s *site) zoneless() string {
	if ip, _, zoned := strings.Cut(s.host, "%"); zoned && strings.Contains(ip, ":") {
		return ip
	}
	return s.host
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// bracketed returns the host in the form that it has in an authority.
func (s *site) bracketed() string {
	host := s.zoneless()
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// authority returns the host, with the port unless it is the scheme's default.
func (s *site) authority() string {
	if s.port == 80 && !s.secure || s.port == 443 && s.secure {
		return s.bracketed()
	}
	return s.bracketed() + ":" + strconv.Itoa(s.port)
}

// address returns host and port.
func (s *site) address() string { return s.bracketed() + ":" + strconv.Itoa(s.port) }

// key identifies a site.
type key struct {
	host          string
	port, family  int
	secure        bool
	local, socket string
	config        *tls.Config
	proxy         proxy
}

// usesTLS reports whether config matters: for the server, or for the proxy.
func (s *site) usesTLS() bool { return s.secure || s.proxy != nil && s.proxy.tls }

func (s *site) key() key {
	k := key{host: s.host, port: s.port, family: s.family, secure: s.secure, local: s.local, socket: s.socket}
	if s.usesTLS() {
		k.config = s.config
	}
	if s.proxy != nil {
		k.proxy = *s.proxy
	}
	return k
}

// name returns the public name of the site (seed: agent.getName).
func (s *site) name() string {
	name := s.host + ":" + strconv.Itoa(s.port) + ":" + s.local
	if s.socket != "" {
		name += ":unix:" + s.socket
	}
	if s.family != 0 {
		name += ":" + strconv.Itoa(s.family)
	}
	if s.secure {
		name += ":tls"
	}
	if s.usesTLS() && s.config != nil {
		name += fmt.Sprintf(":%p", s.config)
	}
	if s.proxy != nil {
		name += ":via:" + s.proxy.identity()
	}
	return name
}
