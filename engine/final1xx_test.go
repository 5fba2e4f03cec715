// A final status of 1xx is no answer: it is refused, and the client gets one that is.

package engine_test

import (
	"errors"
	"testing"

	"github.com/gale-http/gale/engine"
)

func TestInterimStatusIsNoAnswer(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, status := range []int{100, 101, 103, 199} {
			errs := make(chan error, 2)
			s := start(t, d, func(_ *engine.Request, res *engine.Response) {
				_ = res.SetStatus(status)
				_, err := res.WriteString("body")
				errs <- err
				errs <- res.EndString("body")
			})
			c := s.dial()
			c.send(request("/"))
			if a := c.next(""); a.StatusCode != 500 || a.body != "" {
				t.Errorf("status %d: got %d %q", status, a.StatusCode, a.body)
			}
			for range 2 {
				var bad *engine.StatusError
				if err := <-errs; !errors.As(err, &bad) || bad.Code != status {
					t.Errorf("status %d: %v", status, err)
				}
			}
		}
	})
}
