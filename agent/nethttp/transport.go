// Package nethttp makes an agent an http.RoundTripper: the client of package net/http,
// with its redirects, cookies and timeouts, over gale's sockets.
//
//	client := &http.Client{Transport: &nethttp.Transport{}}
//
// It behaves like http.Transport, including gzip that is requested and decoded
// transparently; errors are the agent's where net/http has no name for them. It is stricter
// in one case: a body over TLS that is delimited by the end of the connection fails with
// io.ErrUnexpectedEOF and agent.ErrNoCloseNotify when there was no close_notify (RFC 9112
// §9.8). What no request target can have leaves percent-encoded, even in URL.RawQuery. Of
// Request.Cancel and the context, only the context ends a request. Of a client trace it calls
// all functions but PutIdleConn, ConnectStart, ConnectDone and WroteHeaderField.
package nethttp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/bytesparse"
	"github.com/gale-http/gale/internal/h1"
)

// Transport is an http.RoundTripper over an agent. The zero value uses agent.Default and the
// proxies that the environment names. It is safe for concurrent use.
type Transport struct {
	// Agent makes the requests; nil is agent.Default.
	Agent *agent.Agent
	// Proxy returns the proxy for a request, nil for none; if Proxy itself is nil,
	// http.ProxyFromEnvironment is used. Proxies are spoken to over http or https.
	Proxy func(*http.Request) (*url.URL, error)
	// TLS is the configuration for https, overriding the agent's.
	TLS *tls.Config
	// DisableCompression stops the transport from requesting and decoding gzip on its
	// own, as in http.Transport.
	DisableCompression bool

	exchanges sync.Pool // of *exchange
}

// exchange is one request and its response. It is reused after the body of the response has
// been closed.
type exchange struct {
	req  agent.Request
	res  agent.Response
	body *bodies // of the request; nil: none
}

func (t *Transport) agent() *agent.Agent {
	if t.Agent == nil {
		return agent.Default
	}
	return t.Agent
}

// RoundTrip implements http.RoundTripper. The body of the response must be closed.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x, _ := t.exchanges.Get().(*exchange)
	if x == nil {
		x = new(exchange)
	}
	x.body = newBodies(r.Body)
	out, err := x.roundTrip(t, r)
	if err != nil {
		x.body.Close()
		return nil, err
	}
	return out, nil
}

func (x *exchange) roundTrip(t *Transport, r *http.Request) (*http.Response, error) {
	if err := x.prepare(t, r); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(r.Context())
	var tunnel net.Conn
	var ahead []byte
	x.req.On.Upgrade = func(_ *agent.Response, socket net.Conn, head []byte) { tunnel, ahead = socket, head }
	x.req.On.Connect = x.req.On.Upgrade
	refused := x.trace(httptrace.ContextClientTrace(r.Context()), r, stop)
	err := x.do(ctx, t.agent())
	if *refused != nil {
		_ = x.res.Close()
		err = *refused
	}
	x.req.On, x.req.Source = agent.Events{}, agent.Source{}
	if err != nil {
		stop()
		return nil, unwrapContext(r.Context(), err)
	}
	out := x.response(r)
	switch {
	case tunnel != nil:
		stop()
		out.Body = &upgraded{Conn: tunnel, head: ahead}
	case r.Method == http.MethodHead || out.ContentLength == 0:
		out.Body = http.NoBody
		_ = x.res.Close()
		stop()
		t.exchanges.Put(x)
	default:
		out.Body = &body{x: x, out: out, stop: stop, back: &t.exchanges}
		if t.asksGzip(r) {
			unzip(out)
		}
	}
	return out, nil
}

// do makes the request. Its body, which may be sent while the response is read, is closed when
// ctx ends, that is, after the response: a Read of it might otherwise wait for ever.
func (x *exchange) do(ctx context.Context, a *agent.Agent) error {
	if x.body != nil {
		context.AfterFunc(ctx, x.body.Close)
	}
	return a.Do(ctx, &x.req, &x.res)
}

// unwrapContext returns the cause of a context's end in place of its error, and unwrapped:
// http.Client checks for it.
func unwrapContext(ctx context.Context, err error) error {
	if e := ctx.Err(); e != nil && errors.Is(err, e) {
		return context.Cause(ctx)
	}
	return err
}

var (
	errScheme  = errors.New("nethttp: the URL's scheme is neither http nor https")
	errNoBody  = errors.New("nethttp: the request has a ContentLength and a nil Body")
	errRequest = errors.New("nethttp: the request has no URL with a host")
)

// prepare converts net/http's request to the agent's.
func (x *exchange) prepare(t *Transport, r *http.Request) error {
	switch {
	case r.Context().Err() != nil:
		return context.Cause(r.Context())
	case r.URL == nil || r.URL.Host == "":
		return errRequest
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return errScheme
	case r.Body == nil && r.ContentLength != 0:
		return errNoBody
	}
	q := &x.req
	q.ClearHeaders()
	q.URL, q.Method, q.Body, q.Path = r.URL.Scheme+"://"+r.URL.Host+"/", r.Method, nil, h1.EscapeTarget(r.URL.RequestURI())
	if r.Method == http.MethodConnect && r.URL.Path == "" {
		q.Path = cmp.Or(r.URL.Opaque, r.Host, r.URL.Host)
	}
	q.Route = agent.Route{TLS: t.TLS}
	choose := t.Proxy
	if choose == nil {
		choose = http.ProxyFromEnvironment
	}
	switch through, err := choose(r); {
	case err != nil:
		return err
	case through != nil:
		q.Route.Proxy = through.String()
	}
	if err := x.fields(r); err != nil || !t.asksGzip(r) {
		return err
	}
	return q.SetHeader("Accept-Encoding", "gzip")
}

// fields copies the fields and sets the framing of the body.
func (x *exchange) fields(r *http.Request) error {
	q := &x.req
	if r.Host != "" && r.Host != r.URL.Host {
		if err := q.SetHeader("Host", r.Host); err != nil {
			return err
		}
	}
	for name, values := range r.Header {
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue // set from r's own fields
		case "User-Agent":
			if len(values) > 0 && values[0] == "" {
				continue // send none at all
			}
			values = values[:min(1, len(values))]
		}
		for _, value := range values {
			if err := q.AddHeader(name, value); err != nil {
				return err
			}
		}
	}
	if r.Header["User-Agent"] == nil {
		_ = q.SetHeader("User-Agent", "gale")
	}
	if r.Close {
		_ = q.SetHeader("Connection", "close")
	}
	from := x.body.first(r)
	if from == nil {
		return nil
	}
	all := x.body
	q.Source = agent.Source{Reader: &sending{body: from, r: r}, Length: r.ContentLength}
	if r.GetBody != nil {
		q.Source.Again = func() (io.Reader, error) {
			again, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			return &sending{body: all.add(again), r: r}, nil
		}
	}
	if len(r.Trailer) > 0 {
		names := make([]string, 0, len(r.Trailer))
		for name := range r.Trailer {
			switch key := textproto.CanonicalMIMEHeaderKey(name); {
			case !bytesparse.IsToken(name), key == "Content-Length", key == "Trailer", key == "Transfer-Encoding":
				return fmt.Errorf("nethttp: %q cannot be a trailer", name)
			}
			names = append(names, name)
		}
		_ = q.SetHeader("Trailer", strings.Join(names, ", "))
		_ = q.SetHeader("Transfer-Encoding", "chunked")
	}
	return nil
}

// response converts the agent's response to net/http's.
func (x *exchange) response(r *http.Request) *http.Response {
	res := &x.res
	code := res.StatusCode()
	status := strconv.Itoa(code) + " " + string(res.StatusMessage())
	out := &http.Response{
		Status: strings.TrimRight(status, " "), StatusCode: code, Proto: "HTTP/" + res.HTTPVersion(), ProtoMajor: 1, ProtoMinor: res.HTTPVersionMinor(),
		Header: make(http.Header), ContentLength: res.ContentLength(), Request: r, Close: !res.KeepsAlive(), TLS: res.TLS(),
	}
	for name, value := range res.RawHeaders() {
		key := textproto.CanonicalMIMEHeaderKey(string(name))
		out.Header[key] = append(out.Header[key], string(value))
	}
	if code == http.StatusNotModified && r.Method != http.MethodHead {
		out.ContentLength = 0
	}
	closes := func(list string) bool { return bytesparse.ContainsToken([]byte(list), "close") }
	if out.ProtoMinor == 1 && slices.ContainsFunc(out.Header["Connection"], closes) {
		out.Header.Del("Connection") // Close says it
	}
	if strings.EqualFold(out.Header.Get("Transfer-Encoding"), "chunked") {
		out.TransferEncoding = []string{"chunked"}
		out.Header.Del("Transfer-Encoding")
	}
	if announced := out.Header.Values("Trailer"); announced != nil && out.TransferEncoding != nil { // else there are none
		out.Trailer = make(http.Header)
		for _, list := range announced {
			for name := range strings.SplitSeq(list, ",") {
				if name = strings.TrimSpace(name); name != "" {
					out.Trailer[textproto.CanonicalMIMEHeaderKey(name)] = nil
				}
			}
		}
		out.Header.Del("Trailer")
	}
	return out
}

// CloseIdleConnections closes the idle sockets; http.Client calls it.
func (t *Transport) CloseIdleConnections() { t.agent().CloseFreeSockets() }
