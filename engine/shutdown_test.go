// Shutdown: idle connections go at once, answers under way are finished and say
// that they are the last, and the deadline is kept.

package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gale-http/gale/engine"
)

func TestShutdownFinishesWhatIsUnderWay(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		asked, goOn := make(chan struct{}), make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			if string(req.URL()) == "/slow" {
				asked <- struct{}{}
				<-goOn
			}
			_ = res.EndString("done")
		})
		idle, busy, halfway := s.dial(), s.dial(), s.dial()
		idle.get("/", "done")
		halfway.get("/", "done")
		busy.send(request("/slow"))
		wait(t, asked, "the slow request")
		if !d.portable { // there, whether it was read before Shutdown is chance
			halfway.send("GET / HTTP/1.1\r\n")
		}

		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }()
		if rest := idle.ended(); rest != "" {
			t.Errorf("the idle connection was sent %q", rest)
		}
		last := []*client{busy}
		if !d.portable {
			halfway.send("Host: a\r\n\r\n")
			last = append(last, halfway)
		}
		close(goOn)
		for _, c := range last {
			if a := c.expect(200, "done"); !a.Close {
				t.Errorf("the last answer does not say so: %v", a.Header)
			}
			c.ended()
			_ = c.Close() // the server reads on until then
		}
		if err := wait(t, ended, "Shutdown"); err != nil {
			t.Error(err)
		}
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownKeepsItsDeadline(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		asked, ended := make(chan struct{}), make(chan error, 1)
		s := start(t, d, func(req *engine.Request, _ *engine.Response) {
			close(asked)
			<-req.Context().Done() // until Close, after the deadline, ends it
		})
		s.dial().send(request("/"))
		wait(t, asked, "the request")
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		go func() { ended <- s.Shutdown(ctx) }()
		if err := wait(t, ended, "Shutdown"); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}
