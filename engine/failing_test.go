// Handlers that do not return: panics, runtime.Goexit, ErrAbort. Each in every state
// that a handler can be in: at once, resumed after a wait, after it lost its loop,
// with the answer begun or not, between pipelined requests. The connection ends, the
// server does not.

package engine_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// failure is a way of not returning.
type failure struct {
	name string
	fail func()
	log  []string // what the log must hold, once; nothing when empty
	code string   // the status of the answer when nothing was sent; "" is none
}

var failures = []failure{
	{"panic", failWithPanic, []string{"panic", "the reason", "failWithPanic"}, "500"},
	{"panic with an error", func() { panic(errors.New("the cause")) }, []string{"panic", "the cause"}, "500"},
	{"panic with nil", failWithNil, []string{"panic", "failWithNil"}, "500"},
	{"panic of the runtime", failWithIndex, []string{"panic", "index out of range", "failWithIndex"}, "500"},
	{"Goexit", failWithExit, []string{"Goexit", "failWithExit"}, "500"},
	{"abort", func() { panic(engine.ErrAbort) }, nil, ""},
}

func failWithPanic() { panic("the reason") }
func failWithExit()  { runtime.Goexit() }

func failWithNil() {
	var nothing any
	panic(nothing)
}

func failWithIndex() {
	var none []int
	none[len(none)]++
}

// states are how far a handler got. Each receives what it needs to get there.
var states = []struct {
	name  string
	begun bool // some of the answer has left
	reach func(req *engine.Request, res *engine.Response, other func())
}{
	{"at once", false, func(*engine.Request, *engine.Response, func()) {}},
	{"resumed", false, func(req *engine.Request, _ *engine.Response, _ func()) { _, _ = io.ReadAll(req) }},
	{"late", false, func(_ *engine.Request, _ *engine.Response, other func()) { other() }},
	{"late and resumed", false, func(req *engine.Request, _ *engine.Response, other func()) {
		other()
		_, _ = io.ReadAll(req)
	}},
	{"ended", false, func(_ *engine.Request, res *engine.Response, _ func()) { _ = res.EndString("thought better of") }},
	{"begun", true, func(_ *engine.Request, res *engine.Response, _ func()) { _, _ = res.WriteString("begun") }},
	{"begun, with a length", true, func(_ *engine.Request, res *engine.Response, _ func()) {
		_ = res.SetHeader("Content-Length", "10")
		_, _ = res.WriteString("begun")
	}},
	{"begun and late", true, func(_ *engine.Request, res *engine.Response, other func()) {
		_, _ = res.WriteString("begun")
		other()
	}},
	{"resumed and begun", true, func(req *engine.Request, res *engine.Response, _ func()) {
		_, _ = io.ReadAll(req)
		_, _ = res.WriteString("begun")
	}},
}

func TestFailures(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, f := range failures {
			for _, state := range states {
				t.Run(f.name+", "+state.name, func(t *testing.T) {
					testFailure(t, d, f, state.begun, state.reach)
				})
			}
		}
	})
}

func testFailure(t *testing.T, d driver, f failure, begun bool, reach func(*engine.Request, *engine.Response, func())) {
	proceed, here := make(chan struct{}), make(chan struct{})
	s := start(t, d, routes(map[string]engine.Handler{"/fail": func(req *engine.Request, res *engine.Response) {
		close(here)
		reach(req, res, func() { <-proceed })
		f.fail()
	}}))
	c, other := s.dial(), s.dial()
	other.get("/", "hello")
	c.send(request("/") + headOf("/fail", 4))
	simnet.Receive(t, here, "the handler")
	other.get("/", "hello")
	close(proceed)
	c.send("body" + request("/never"))
	c.expect(200, "hello")
	ended := c.ended
	if begun || f.code == "" {
		ended = c.cut // by a reset, perhaps: there is nothing that the client may rely on
	}
	rest := ended()
	_ = c.Close()
	switch {
	case !begun && statusOf(rest) != f.code:
		t.Errorf("the answer was %q, want %q", rest, f.code)
	case !begun && f.code != "" && (!strings.Contains(rest, "\r\nConnection: close\r\n") || !strings.Contains(rest, "\r\nDate: ")):
		t.Errorf("the answer was %q", rest)
	case begun && (!strings.Contains(rest, "begun") || strings.Contains(rest, "\r\n0\r\n") || strings.Count(rest, "HTTP/1.1") != 1):
		t.Errorf("the answer was %q", rest)
	}
	other.get("/", "hello")
	s.dial().get("/", "hello")
	if !simnet.Becomes(func() bool { return s.Connections() == 2 }) {
		t.Errorf("%d connections are open, want 2", s.Connections())
	}
	checkLog(t, s.log.take(), f.log)
}

func checkLog(t *testing.T, text string, want []string) {
	t.Helper()
	if len(want) == 0 {
		if text != "" {
			t.Errorf("logged %q", text)
		}
		return
	}
	for _, word := range append(want, `POST "/fail"`) {
		if !strings.Contains(text, word) {
			t.Errorf("the log lacks %q:\n%s", word, text)
		}
	}
	if n := strings.Count(text, "gale: "); n != 1 {
		t.Errorf("logged %d times:\n%s", n, text)
	}
}

// TestFailuresKeepOtherAnswers: answers to earlier requests of the same segment are sent before the
// failing request's connection ends.
func TestFailuresKeepOtherAnswers(t *testing.T) {
	misuses := map[string]engine.Handler{
		"/long": func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Content-Length", "1")
			_ = res.EndString("too long")
		},
		"/short": func(_ *engine.Request, res *engine.Response) {
			_ = res.SetHeader("Content-Length", "10")
			_ = res.EndString("short")
		},
	}
	for _, f := range failures {
		misuses["/"+f.name] = func(*engine.Request, *engine.Response) { f.fail() }
	}
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			if h := misuses[string(req.Header("X-Fail"))]; h != nil {
				h(req, res)
				return
			}
			hello(req, res)
		})
		for name := range misuses {
			c := s.dial()
			c.send(request("/") + request("/") + "GET / HTTP/1.1\r\nHost: a\r\nX-Fail: " + name + "\r\n\r\n" + request("/never"))
			c.expect(200, "hello")
			c.expect(200, "hello")
			if rest := c.cut(); rest != "" && statusOf(rest) != "500" {
				t.Errorf("%s: behind it came %q", name, rest)
			}
			_ = c.Close()
		}
		s.log.take()
	})
}

// TestFailuresInParallel: failures of many connections at once, some of which share
// a loop, leave the loops in order.
func TestFailuresInParallel(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			body, _ := readAll(req)
			for _, f := range failures {
				if f.name == string(body) {
					f.fail()
				}
			}
			_ = res.End(body)
		})
		for range 5 {
			var clients []*client
			for i := range 4 * (len(failures) + 1) {
				c := s.dial()
				name := "fine"
				if i := i % (len(failures) + 1); i < len(failures) {
					name = failures[i].name
				}
				c.send(headOf("/", len(name)) + name[:1])
				clients = append(clients, c)
			}
			for i, c := range clients {
				code, name := "200", "fine"
				if i := i % (len(failures) + 1); i < len(failures) {
					code, name = failures[i].code, failures[i].name
				}
				c.send(name[1:])
				c.halfClose()
				if got := c.ended(); statusOf(got) != code {
					t.Errorf("%s: got %q", name, got)
				}
			}
			if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
				t.Fatalf("%d connections are left", s.Connections())
			}
		}
		s.log.take()
	})
}
