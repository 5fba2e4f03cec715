// The target of the load: parsing its URL, and finding an address for it that accepts
// connections, or a brief reason why there is none.

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/sys"
)

// target is a parsed URL.
type target struct {
	url  string // as given, without user and password
	name string // a host name to be looked up, or an IP address
	port uint16
	unix string // path of a unix socket, in place of name and port
	host string // the Host field
	path string // the request target
	auth string // the Authorization field, "" for none
	tls  bool
}

// redact returns text, which is a URL or was meant to be one, without user and password.
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

// parseTarget parses "http://…", "https://…", a bare "host:port/path", or "unix:/socket:/path".
func parseTarget(s string) (*target, error) {
	if rest, ok := strings.CutPrefix(s, "unix:"); ok {
		return parseUnix(s, rest)
	}
	full := s
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	switch {
	case err != nil && strings.Contains(s, "@"): // err might quote the password
		return nil, fmt.Errorf("bad URL %q", redact(s))
	case err != nil:
		return nil, fmt.Errorf("bad URL %q: %w", s, errors.Unwrap(err))
	case u.User != nil:
		s = redact(s)
	}
	t := &target{url: s, name: u.Hostname(), path: u.RequestURI()}
	switch u.Scheme {
	case "http":
		t.port = 80
	case "https":
		t.port, t.tls = 443, true
	default:
		return nil, fmt.Errorf("%s: unknown scheme %q, only http and https are supported", s, u.Scheme)
	}
	t.host = hostField(u, strconv.Itoa(int(t.port)))
	if port := u.Port(); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("bad URL %q: no such port: %s", s, port)
		}
		t.port = uint16(n)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		t.auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
	}
	switch {
	case t.name == "":
		return nil, fmt.Errorf("bad URL %q: no host", s)
	case !bytesparse.ValidHost([]byte(t.host)):
		return nil, fmt.Errorf("bad URL %q: invalid host", s)
	case !bytesparse.IsTarget(t.path):
		return nil, fmt.Errorf("bad URL %q: a byte that must be percent-encoded", s)
	}
	return t, nil
}

// hostField returns the URL's host and port, without a zone, which has a meaning on this
// machine only, and without the scheme's default port.
func hostField(u *url.URL, defaultPort string) string {
	name, port := u.Hostname(), u.Port()
	if strings.Contains(name, ":") {
		name, _, _ = strings.Cut(name, "%")
		name = "[" + name + "]"
	}
	if port != "" && port != defaultPort {
		name += ":" + port
	}
	return name
}

func parseUnix(s, rest string) (*target, error) {
	rest = strings.TrimPrefix(rest, "//") // unix:///socket means the same
	socket, path, ok := strings.Cut(rest, ":")
	if !ok {
		path = "/"
	}
	switch {
	case socket == "":
		return nil, fmt.Errorf("bad URL %q: want unix:/path/to/socket", s)
	case path == "" || path[0] != '/' || !bytesparse.IsTarget(path):
		return nil, fmt.Errorf("bad URL %q: invalid path %q behind the socket", s, path)
	}
	return &target{url: s, unix: socket, host: "localhost", path: path}, nil
}

// sameServer reports whether two targets differ in the request only.
func (t *target) sameServer(u *target) bool {
	return t.name == u.name && t.port == u.port && t.unix == u.unix && t.tls == u.tls
}

// reach returns the first address of the target that accepts a connection and, if secure is
// not nil, a TLS handshake.
func (t *target) reach(ctx context.Context, timeout time.Duration, secure *tls.Config) (sys.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if t.unix != "" {
		return sys.Addr{Path: t.unix}, t.probe(ctx, "unix", t.unix, nil)
	}
	ips, err := t.lookUp(ctx)
	if err != nil {
		return sys.Addr{}, fmt.Errorf("cannot find %s: %s", t.name, briefReason(err))
	}
	return t.firstReachable(ctx, ips, secure)
}

func (t *target) firstReachable(ctx context.Context, ips []netip.Addr, secure *tls.Config) (addr sys.Addr, err error) {
	var first error
	for _, ip := range ips {
		addr := netip.AddrPortFrom(ip, t.port)
		if err = t.probe(ctx, "tcp", addr.String(), secure); err == nil {
			return sys.Addr{IP: addr}, nil
		}
		if first == nil {
			first = err
		}
	}
	return sys.Addr{}, first
}

func (t *target) lookUp(ctx context.Context) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(t.name); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.name)
	if err == nil && len(ips) == 0 {
		err = errors.New("no address")
	}
	for i, ip := range ips {
		ips[i] = ip.Unmap()
	}
	return ips, err
}

func (t *target) probe(ctx context.Context, network, address string, secure *tls.Config) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return fmt.Errorf("cannot reach %s: %s", t.url, briefReason(err))
	}
	defer c.Close()
	if secure == nil {
		return nil
	}
	if err := tls.Client(c, secure).HandshakeContext(ctx); err != nil {
		return fmt.Errorf("cannot reach %s: %s", t.url, briefReason(err))
	}
	return nil
}

// config returns the TLS configuration for the target, nil for a plain one. Sessions are not
// cached: each connection has the full handshake.
func (t *target) config(opt *options) (*tls.Config, error) {
	switch {
	case !t.tls && opt.insecure:
		return nil, fmt.Errorf("-insecure: %s has no certificate to be verified", t.url)
	case !t.tls && opt.cacert != "":
		return nil, fmt.Errorf("-cacert: %s has no certificate to be verified", t.url)
	case !t.tls:
		return nil, nil
	}
	name, _, _ := strings.Cut(t.name, "%")
	config := &tls.Config{ServerName: name, NextProtos: []string{"http/1.1"}, InsecureSkipVerify: opt.insecure}
	if opt.cacert == "" {
		return config, nil
	}
	pem, err := os.ReadFile(opt.cacert)
	if err != nil {
		return nil, fmt.Errorf("-cacert: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("-cacert %s: no certificate in it", opt.cacert)
	}
	return config, nil
}

// briefReason returns the innermost reason of a network error.
func briefReason(err error) string {
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns):
		return dns.Err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &errno):
		return errno.Error()
	}
	return err.Error()
}
