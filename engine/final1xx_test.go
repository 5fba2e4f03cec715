// A final status of 1xx is no answer: the client must not wait for one on a
// connection that goes on.

package engine_test

import (
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
)

func TestInterimStatusAsAnswerEndsTheConnection(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			_ = res.SetStatus(103)
			_ = res.EndString("body")
		})
		c := s.dial()
		c.send(request("/"))
		if got := c.ended(); !strings.HasPrefix(got, "HTTP/1.1 103 ") || strings.Contains(got, "body") {
			t.Errorf("got %q", got)
		}
	})
}
