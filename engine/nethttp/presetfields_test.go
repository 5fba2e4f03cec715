// Fields that an engine.Handler has set before it lets net/http's answer.

package nethttp_test

import (
	"bufio"
	"net/http"
	"slices"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/engine/nethttp"
)

// A field of the http.Handler replaces one of the same name that was there before; others stay.
func TestFieldsSetBefore(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		bridge := nethttp.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{"text/html"}
			w.Header()["X-Two"] = []string{"b", "c"}
			w.Header()["x-odd"] = []string{"d"}
		}))
		s := &engine.Server{Portable: d.portable, Dispatch: d.dispatch, Loops: 1, Handler: func(req *engine.Request, res *engine.Response) {
			for _, name := range []string{"Content-Type", "X-Two", "X-Odd", "X-Stays"} {
				_ = res.SetHeader(name, "before")
			}
			bridge(req, res)
		}}
		if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := dial(t, s.Addr().String())
		send(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][]string{
			"Content-Type": {"text/html"}, "X-Two": {"b", "c"}, "X-Odd": {"before", "d"}, "X-Stays": {"before"},
		} {
			if got := res.Header[name]; !slices.Equal(got, want) {
				t.Errorf("%s: %q, not %q", name, got, want)
			}
		}
	})
}
