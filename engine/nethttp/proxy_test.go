// httputil.ReverseProxy with gale in front of it and behind it: its transport reads the request's
// body and sends interim responses from goroutines of its own.

package nethttp_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// proxyTo returns a reverse proxy to an address, and closes its connections with the
// test.
func proxyTo(t testing.TB, addr string) http.Handler {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: addr})
			r.Out.Host = r.In.Host
		},
	}
}

// chains are the ways from a client through a proxy to the site, by name; either
// end, or both, is gale.
func chains(t testing.TB, d driver) map[string]string {
	gale, _ := serve(t, d, site)
	standard := serveStandard(t, site)
	front, _ := serve(t, d, proxyTo(t, standard))
	both, _ := serve(t, d, proxyTo(t, gale.Addr().String()))
	return map[string]string{
		"gale to net/http": front.Addr().String(),
		"net/http to gale": serveStandard(t, proxyTo(t, gale.Addr().String())),
		"gale to gale":     both.Addr().String(),
	}
}

func TestReverseProxy(t *testing.T) {
	direct := serveStandard(t, proxyTo(t, serveStandard(t, site)))
	eachDriver(t, func(t *testing.T, d driver) {
		for way, addr := range chains(t, d) {
			for _, path := range []string{"/hello", "/empty", "/large", "/many", "/flush", "/copy", "/length", "/status?code=204", "/status?code=304",
				"/trailers", "/prefix-trailers", "/echo", "/request?q", "/error", "/redirect"} {
				for _, method := range []string{"GET", "HEAD", "POST"} {
					text := method + " " + path + " HTTP/1.1\r\nHost: a\r\nUser-Agent: t\r\n\r\n"
					if method == "POST" {
						if path != "/echo" && path != "/request?q" {
							continue // answered before it was read, net/http's own proxy may lose the answer
						}
						text = "POST " + path + " HTTP/1.1\r\nHost: a\r\nUser-Agent: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
					}
					want := converse(t, direct, text, method)
					if got := converse(t, addr, text, method); got != want {
						t.Errorf("%s, %s %s:\ngot  %swant %s", way, method, path, got, want)
					}
				}
			}
		}
	})
}

// TestProxyUploads: large bodies at the same time, some of them answered before they
// have been read, so that the proxy's transport is still reading when its handler
// returns. What follows on the connection must be served rightly.
func TestProxyUploads(t *testing.T) {
	const clients, rounds, size = 4, 3, 1 << 20
	eachDriver(t, func(t *testing.T, d driver) {
		for way, addr := range chains(t, d) {
			var group sync.WaitGroup
			for k := range clients {
				group.Go(func() {
					c := &http.Client{Transport: &http.Transport{}, Timeout: simnet.Patience}
					defer c.CloseIdleConnections()
					for i := range rounds {
						path, want := "/count", fmt.Sprint(size)
						if (i+k)%3 == 0 {
							path, want = "/early", "early"
						}
						res, err := c.Post("http://"+addr+path, "text/plain", io.LimitReader(zeros{}, size))
						if err != nil {
							if path == "/early" {
								continue // the connection was cut under the upload, as it may be
							}
							t.Errorf("%s, %s: %v", way, path, err)
							return
						}
						body, err := io.ReadAll(res.Body)
						_ = res.Body.Close()
						if path == "/early" && (err != nil || res.StatusCode == http.StatusBadGateway) {
							continue
						}
						if err != nil || !strings.HasPrefix(string(body), want) {
							t.Errorf("%s, %s: got %d %.100q, %v", way, path, res.StatusCode, body, err)
						}
					}
				})
			}
			group.Wait()
		}
	})
}
