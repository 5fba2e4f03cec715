// TLS: what a handler sees of it, and that nothing else changes.

package nethttp_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

func TestTLS(t *testing.T) {
	authority := simnet.NewAuthority(t)
	standard := serveStandard(t, site)
	eachDriver(t, func(t *testing.T, d driver) {
		g, err := nethttp.NewServer(&http.Server{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.TLS == nil || !r.TLS.HandshakeComplete:
					t.Error("no state of the handshake")
				case r.Header.Get("Upgrade") != "":
					echoing(t)(w, r)
				case r.URL.Path == "/tls":
					fmt.Fprintf(w, "%s %s", r.TLS.ServerName, r.TLS.PeerCertificates[0].Subject.CommonName)
				default:
					site.ServeHTTP(w, r)
				}
			}),
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{authority.Issue(t, "gale.example")},
				ClientAuth:   tls.RequireAndVerifyClientCert,
				ClientCAs:    authority.Pool,
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		g.Portable, g.Dispatch = d.portable, d.dispatch
		if err := g.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		config := &tls.Config{
			RootCAs:      authority.Pool,
			ServerName:   "gale.example",
			Certificates: []tls.Certificate{authority.Issue(t, "a client")},
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}, Timeout: simnet.Patience}
		defer client.CloseIdleConnections()
		get := func(url string) string {
			res, err := client.Post(url, "text/plain", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			return fmt.Sprint(res.StatusCode, res.ContentLength, res.TransferEncoding, res.Trailer, len(body), err, string(body[:min(len(body), 50)]))
		}
		if got := get("https://" + g.Addr().String() + "/tls"); !strings.HasSuffix(got, "gale.example a client") {
			t.Errorf("the handler sees %q", got)
		}
		for _, path := range []string{"/hello", "/echo", "/large", "/many", "/flush", "/copy", "/trailers", "/file", "/file-copied", "/file-part"} {
			want := get("http://" + standard + path)
			if got := get("https://" + g.Addr().String() + path); got != want {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		c := tls.Client(dial(t, g.Addr().String()), config)
		in := upgraded(t, c, "")
		if got := readN(t, in, 11); got != "buffered 0;" {
			t.Errorf("got %q", got)
		}
		for i := range 50 {
			text := strings.Repeat("x", i*i) + "."
			send(t, c, text)
			if got := readN(t, in, len(text)); got != text {
				t.Fatalf("got %q, want %q", got, text)
			}
		}
	})
}
