// What OnFinish may call, and which hooks run for an exchange that does not end normally.

package engine_test

import (
	"runtime"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestFinishAsks: OnFinish can ask the request and the response, and change nothing.
func TestFinishAsks(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		told := make(chan string, 1)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			tell := func(how string) func() {
				return func() {
					fields := 0
					for range req.RawHeaders() {
						fields++
					}
					for range req.Headers() {
						fields++
					}
					if fields != 4 || res.Status() != 200 || how == "finish" && !res.HeadersSent() {
						t.Errorf("%d fields, status %d", fields, res.Status())
					}
					told <- how + " " + req.Method() + " " + string(req.URL()) + " " + string(req.Header("X-A"))
				}
			}
			res.OnFinish(tell("finish"))
			res.OnClose(tell("close"))
			switch string(req.URL()) {
			case "/gone":
				panic(engine.ErrAbort)
			case "/short":
				_ = res.SetHeader("Content-Length", "5")
				_, _ = res.WriteString("1")
			default:
				_ = res.EndString("x")
			}
		})
		c := s.dial()
		for _, path := range []string{"/one", "/two"} {
			c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n")
			c.expect(200, "x")
			if got := simnet.Receive(t, told, "OnFinish"); got != "finish GET "+path+" b" {
				t.Errorf("told %q", got)
			}
		}
		for _, path := range []string{"/gone", "/short"} {
			c := s.dial()
			c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n")
			if got := simnet.Receive(t, told, "OnClose"); got != "close GET "+path+" b" {
				t.Errorf("told %q", got)
			}
			c.cut()
		}
	})
}

// TestNeitherFinishNorClose: neither hook runs for a connection that was taken over; OnClose runs
// if the handler has exited.
func TestNeitherFinishNorClose(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		told := make(chan string, 8)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			path := string(req.URL())
			res.OnFinish(func() { told <- "finish " + path })
			res.OnClose(func() { told <- "close " + path })
			req.OnClose(func() { told <- "close request " + path })
			switch path {
			case "/exit":
				runtime.Goexit()
			case "/hijack":
				if socket, _, err := res.Hijack(); err == nil {
					_ = socket.Close()
				}
			}
		})
		c := s.dial()
		c.send(request("/hijack"))
		c.cut()
		c = s.dial()
		c.send(request("/exit"))
		c.cut()
		untilLogged(t, s, "Goexit")
		for range 2 {
			if got := simnet.Receive(t, told, "OnClose"); got != "close request /exit" && got != "close /exit" {
				t.Errorf("told %q", got)
			}
		}
		_ = s.Close()
		if len(told) > 0 {
			t.Errorf("told %q", <-told)
		}
	})
}
