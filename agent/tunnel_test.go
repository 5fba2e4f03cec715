// A real proxy, on package engine, spoken to over http and https: plain requests are forwarded,
// CONNECT makes tunnels, and both require credentials.

package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

const whoAreYou = "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// engineProxy starts a proxy for "user:secret" and returns its address.
func engineProxy(t testing.TB, config *tls.Config) string {
	t.Helper()
	upstream := &agent.Agent{KeepAlive: true}
	allowed := func(req *engine.Request) bool {
		return string(req.Header("Proxy-Authorization")) == basicAuth("user:secret")
	}
	s := &engine.Server{Loops: 2, TLS: config, Handler: func(req *engine.Request, res *engine.Response) {
		if !allowed(req) {
			_ = res.WriteHead(407, "", "Proxy-Authenticate", "Basic realm=x")
			return
		}
		var q agent.Request
		var r agent.Response
		q.URL, q.Method = string(req.URL()), req.Method()
		q.Source.Reader = req
		if err := upstream.Do(req.Context(), &q, &r); err != nil {
			_ = res.WriteHead(502, "")
			return
		}
		_ = res.WriteHead(r.StatusCode(), "")
		_, _ = io.Copy(res, &r)
	}}
	s.On.Connect = func(req *engine.Request, socket *engine.Socket, head []byte) {
		defer socket.Close()
		if !allowed(req) {
			_, _ = io.WriteString(socket, whoAreYou)
			return
		}
		to, err := net.Dial("tcp", string(req.URL()))
		if err != nil {
			return
		}
		defer to.Close()
		_, _ = io.WriteString(socket, "HTTP/1.1 200 OK\r\n\r\n")
		_, _ = to.Write(head)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(to, socket)
			_ = to.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(socket, to)
		_ = socket.Close()
		<-done
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(); upstream.Destroy() })
	return s.Addr().String()
}

func TestRealProxies(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, " ", r.RequestURI, " ", len(body), r.Header["Proxy-Authorization"])
	})
	plainOrigin, origin := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	defer plainOrigin.Close()
	defer origin.Close()
	server, _ := certificate(t)
	for _, w := range ways() {
		for _, secure := range []bool{false, true} {
			t.Run(fmt.Sprint(w.name, "/https ", secure), func(t *testing.T) {
				checkLeaks(t)
				config, scheme := (*tls.Config)(nil), "http"
				if secure {
					config, scheme = server, "https"
				}
				addr := engineProxy(t, config)
				roots := origin.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
				a := newAgent(t, &agent.Agent{KeepAlive: true, TLS: &tls.Config{RootCAs: roots}})
				w.call(t, func(ctx context.Context) {
					for _, url := range []string{plainOrigin.URL, origin.URL} {
						var req agent.Request
						var res agent.Response
						req.URL, req.Method, req.Path = url, "POST", "/path?x"
						req.Route.Proxy = scheme + "://user:secret@" + addr
						for i := range 4 {
							req.Body = make([]byte, i*20_000)
							want := fmt.Sprintf("POST /path?x %d []", len(req.Body))
							if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != want {
								t.Errorf("%s: %d %q, want %q", url, status, body, want)
							}
						}
						req.Body = nil
						req.Route.Proxy = scheme + "://user:wrong@" + addr
						err := a.Do(ctx, &req, &res)
						refused := new(agent.ProxyError)
						switch url {
						case plainOrigin.URL: // the proxy's response is the result
							if err != nil || res.StatusCode() != 407 || string(res.Header("Proxy-Authenticate")) != "Basic realm=x" {
								t.Errorf("%v, %d", err, res.StatusCode())
							}
						default:
							if !errors.As(err, &refused) || refused.Status != 407 || strings.Contains(err.Error(), "wrong") {
								t.Errorf("%v", err)
							}
						}
						_ = res.Close()
					}
				})
				if secure {
					b := newAgent(t, new(agent.Agent))
					req := agent.Request{URL: plainOrigin.URL}
					req.Route.Proxy = "https://user:secret@" + addr
					var e *agent.Error
					if err := b.Do(t.Context(), &req, nil); !errors.As(err, &e) || e.Op != "proxy" || !errors.As(err, new(*tls.CertificateVerificationError)) {
						t.Errorf("a proxy that nobody knows: %v", err)
					}
				}
				a.Destroy() // ends the tunnels
			})
		}
	}
}

// No error quotes a password.
func TestErrorsKeepSecrets(t *testing.T) {
	a := newAgent(t, &agent.Agent{Timeouts: agent.Timeouts{Dial: simnet.Patience}})
	for _, c := range []struct{ url, host, proxy string }{
		{url: "http://user:secret@host:port/"},
		{url: "http://user:secret@host:99999/"},
		{url: "http://user:sec%zzret@host/"},
		{url: "http://user:sec ret@host/"},
		{url: "ftp://user:secret@host/"},
		{url: "http://user:secret@/"},
		{url: "http://user:secret/@host/"},
		{url: "user:secret@host"},
		{url: "http://user:secret@[::1"},
		{url: "http://user:secret@127.0.0.1:1/"},
		{host: "user:secret@host"},
		{url: "http://host/", proxy: "http://user:secret@proxy:x"},
		{url: "http://host/", proxy: "socks5://user:secret@proxy"},
		{url: "http://host/", proxy: "http://user:sec%zzret@proxy"},
		{url: "http://host/", proxy: "http://user:secret@127.0.0.1:1"},
		{url: "https://host/", proxy: "https://user:secret@127.0.0.1:1"},
	} {
		req := agent.Request{URL: c.url, Host: c.host}
		req.Route.Proxy = c.proxy
		err := a.Do(t.Context(), &req, nil)
		var e *agent.Error
		if !errors.As(err, &e) {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		for _, text := range []string{err.Error(), e.Origin, fmt.Sprintf("%+v %#v", err, e.Err)} {
			if strings.Contains(text, "sec") || strings.Contains(text, "ret") {
				t.Errorf("%+v: %s", c, text)
			}
		}
	}
}
