// CONNECT names the end of the tunnel, and is sent to the proxy that makes it.

package nethttp_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
	"github.com/gale-http/gale/internal/simnet"
)

func TestConnectTarget(t *testing.T) {
	heads := make(chan string, 1)
	proxy := simnet.Serve(t, func(c net.Conn) {
		heads <- simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	})
	a := &agent.Agent{}
	defer a.Destroy()
	for name, r := range map[string]*http.Request{
		"Host":   {Method: "CONNECT", URL: &url.URL{Scheme: "http", Host: proxy}, Host: "a.example:443"},
		"Opaque": {Method: "CONNECT", URL: &url.URL{Scheme: "http", Host: proxy, Opaque: "b.example:443"}, Host: "b.example:443"},
		"itself": {Method: "CONNECT", URL: &url.URL{Scheme: "http", Host: proxy}},
	} {
		var seen [2]string
		for i, transport := range []http.RoundTripper{&http.Transport{}, &nethttp.Transport{Agent: a}} {
			r.Header = http.Header{"User-Agent": {""}}
			res, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			_ = res.Body.Close()
			lines := strings.Split(<-heads, "\r\n")
			seen[i] = lines[0] + ", " + lines[1]
		}
		if seen[0] != seen[1] {
			t.Errorf("%s: net/http %q, the bridge %q", name, seen[0], seen[1])
		}
	}
}
