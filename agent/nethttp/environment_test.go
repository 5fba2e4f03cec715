// Proxies from the environment. net/http reads it once per process, so another process makes
// the requests.

package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/agent/nethttp"
)

const environmentChild = "GALE_NETHTTP_CHILD"

func TestEnvironment(t *testing.T) {
	if os.Getenv(environmentChild) != "" {
		askThroughEnvironment()
		return
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "proxy ", r.RequestURI, " ", r.Header.Get("Proxy-Authorization"))
	}))
	defer proxy.Close()
	at := strings.TrimPrefix(proxy.URL, "http://")
	for _, c := range []struct{ proxy, want string }{
		{"http://user:secret@" + at, "proxy http://origin.invalid/a Basic dXNlcjpzZWNyZXQ=\nresolve\n"},
		{at, "proxy http://origin.invalid/a \nresolve\n"},
		{"", "resolve\nresolve\n"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestEnvironment$")
		cmd.Env = append(os.Environ(), environmentChild+"=1", "HTTP_PROXY="+c.proxy, "http_proxy="+c.proxy, "NO_PROXY=.direct.invalid", "no_proxy=.direct.invalid", "REQUEST_METHOD=")
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), c.want) {
			t.Errorf("HTTP_PROXY=%s: %q, want %q, %v", c.proxy, out, c.want, err)
		}
	}
}

// askThroughEnvironment prints the outcome of a request that should go to the proxy, and of one
// that should not.
func askThroughEnvironment() {
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no name server") // the machine's own may be slow to answer
	}}
	c := &http.Client{Transport: &nethttp.Transport{Agent: &agent.Agent{}}}
	for _, url := range []string{"http://origin.invalid/a", "http://a.direct.invalid/b"} {
		res, err := c.Get(url)
		var e *agent.Error
		switch {
		case err == nil:
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			fmt.Println(string(body))
		case errors.As(err, &e):
			fmt.Println(e.Op)
		default:
			fmt.Println(errors.Unwrap(err))
		}
	}
}
