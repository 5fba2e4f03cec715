// Heads that cannot be sent: the peer gets a 500, not silence.

package engine_test

import (
	"bufio"
	"net"
	"net/http"
	"testing"

	"github.com/gale-http/gale/engine"
)

func TestLengthThatIsNoNumberIs500(t *testing.T) {
	s := &engine.Server{Loops: 1, Handler: func(req *engine.Request, res *engine.Response) {
		if string(req.URL()) == "/bad" {
			_ = res.SetHeader("Content-Length", "twelve")
		}
		_ = res.EndString("body")
	}}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, want := range []struct {
		target string
		status int
	}{{"/good", 200}, {"/bad", 500}} {
		if _, err := c.Write([]byte("GET " + want.target + " HTTP/1.1\r\nHost: a\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(want.target, err)
		}
		if res.StatusCode != want.status {
			t.Errorf("%s: %s", want.target, res.Status)
		}
		_ = res.Body.Close()
		if want.status == 200 {
			if _, err := in.Discard(in.Buffered()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
