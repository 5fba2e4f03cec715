// How connections begin and end: too many of them, ends that can be told apart, and hang-ups,
// noticed in every possible way.

package engine_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// Beyond Limits.Connections a client gets a 503, and is served again once others have gone.
func TestTooManyConnections(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.Limits.Connections = 2
		s.listen()
		var in [2]*client
		for i := range in {
			in[i] = s.dial()
			in[i].get("/", "hello")
		}
		for range 3 {
			c := s.dial()
			c.send(request("/"))
			if a := c.next(""); a.StatusCode != 503 || !a.Close {
				t.Errorf("got %d, close %v", a.StatusCode, a.Close)
			}
			if rest := c.ended(); rest != "" {
				t.Errorf("got %q", rest)
			}
		}
		for _, c := range in {
			c.get("/", "hello")
		}
		_ = in[0].Close()
		if !simnet.Becomes(func() bool { return s.Connections() <= 1 }) {
			t.Fatalf("%d connections are open", s.Connections())
		}
		s.dial().get("/", "hello")
	})
}

// A cut answer whose end is that of the connection must not look complete.
func TestCutAnswerIsNoWholeOne(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			_ = req.Socket() // which has no part in it
			_, _ = res.WriteString("part")
			if string(req.URL()) == "/cut" {
				panic(engine.ErrAbort)
			}
		})
		for _, path := range []string{"/whole", "/cut"} {
			c := s.dial()
			c.send("GET " + path + " HTTP/1.0\r\nX: y\r\n\r\n")
			got, err := io.ReadAll(c.in)
			if path == "/whole" {
				if err != nil || !strings.HasSuffix(string(got), "\r\n\r\npart") {
					t.Errorf("%s: got %q, %v", path, got, err)
				}
				continue
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: got %q, and it ended with %v", path, got, err)
			}
		}
	})
}

// A handler learns that its client has gone: from the loop while it waits, by asking while it holds
// the loop, and on the portable driver too.
func TestHangUpIsHeard(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		running, heard := make(chan struct{}), make(chan error, 1)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			ctx := req.Context()
			running <- struct{}{}
			if string(req.URL()) == "/done" {
				<-ctx.Done()
			} else {
				for ctx.Err() == nil { // it computes
				}
			}
			heard <- ctx.Err()
			_ = res.EndString("for whoever is still there")
		})
		for _, path := range []string{"/done", "/err"} {
			c := s.dial()
			c.get2(path, running)
			c.halfClose()
			if err := simnet.Receive(t, heard, "the handler"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if a := c.next(""); a.body != "for whoever is still there" {
				t.Errorf("got %q", a.body)
			}
		}
	})
}

// get2 sends a GET and waits until its handler runs.
func (c *client) get2(path string, running <-chan struct{}) {
	c.t.Helper()
	c.send(request(path))
	simnet.Receive(c.t, running, "the handler")
}

// What the portable driver reads while it watches for a hang-up belongs to the next request.
func TestVigilLosesNothing(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		go1 := make(chan struct{})
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			body, _ := readAll(req)
			ctx := req.Context()
			<-go1
			if err := ctx.Err(); err != nil {
				t.Error(err)
			}
			_ = res.End(append(body, req.URL()...))
		})
		c := s.dial()
		c.send(post("/a", "body"))
		for _, path := range []string{"/b", "/c"} {
			c.send(post(path, "more")) // behind the one that is being answered
		}
		close(go1)
		for _, want := range []string{"body/a", "more/b", "more/c"} {
			if a := c.next(""); a.body != want {
				t.Errorf("got %q, not %q", a.body, want)
			}
		}
	})
}
