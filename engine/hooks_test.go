// Hooks: what a handler is told about its answer, its connection, and inactivity.

package engine_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// 'finish' comes once the answer has been handed to the kernel, 'close' if it never will be.
func TestFinishOrClose(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		told := make(chan string, 8)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			path := string(req.URL())
			res.OnFinish(func() { told <- "finish " + path })
			res.OnClose(func() { told <- "close " + path })
			req.OnClose(func() { told <- "close request " + path })
			switch path {
			case "/short":
				_ = res.SetHeader("Content-Length", "5")
				_, _ = res.WriteString("1")
			case "/abort":
				panic(engine.ErrAbort)
			case "/hijack":
				if socket, _, err := res.Hijack(); err == nil {
					_ = socket.Close()
				}
			default:
				_ = res.EndString(path)
			}
		})
		c := s.dial()
		c.send(request("/one") + request("/two"))
		for _, path := range []string{"/one", "/two"} {
			if a := c.next(""); a.body != path {
				t.Errorf("got %q", a.body)
			}
			if got := simnet.Receive(t, told, "the end"); got != "finish "+path {
				t.Errorf("told %q", got)
			}
		}
		for _, path := range []string{"/short", "/abort"} {
			c := s.dial()
			c.send(request(path))
			c.cut()
			for _, want := range []string{"close request " + path, "close " + path} {
				if got := simnet.Receive(t, told, "the end"); got != want {
					t.Errorf("told %q, not %q", got, want)
				}
			}
		}
		c = s.dial()
		c.send(request("/hijack"))
		c.cut()
		c = s.dial()
		c.send(request("/last"))
		if a := c.next(""); a.body != "/last" {
			t.Errorf("got %q", a.body)
		}
		if got := simnet.Receive(t, told, "the end"); got != "finish /last" {
			t.Errorf("told %q", got)
		}
	})
}

// A handler that does other things is told that its connection has failed, but not that its client
// has only closed its side.
func TestCloseWhileTheHandlerRuns(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		running, told := make(chan struct{}), make(chan string, 4)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			closed := make(chan struct{})
			res.OnFinish(func() { told <- "finish" })
			res.OnClose(func() { told <- "close"; close(closed) })
			running <- struct{}{}
			<-req.Context().Done()
			if string(req.URL()) == "/reset" {
				<-closed
			}
			_ = res.EndString("answer")
		})
		c := s.dial()
		c.send(request("/half"))
		<-running
		c.halfClose()
		if a := c.next(""); a.body != "answer" {
			t.Errorf("got %q", a.body)
		}
		if got := simnet.Receive(t, told, "the end"); got != "finish" {
			t.Errorf("told %q", got)
		}
		c = s.dial()
		c.send(request("/reset"))
		<-running
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		if got := simnet.Receive(t, told, "the end"); got != "close" {
			t.Errorf("told %q", got)
		}
	})
}

// TryWrite reports whether the kernel has taken everything, sends the rest by itself, keeps the
// order with all other methods, and reports when it is full and when it has drained.
func TestTryWrite(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		block := []byte(strings.Repeat("x", 64<<10))
		drained, sent := make(chan struct{}, 16), make(chan int, 1)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			res.OnDrain(func() { drained <- struct{}{} })
			kept, n := 0, 0
			for ; n < 1000; n++ {
				ok, err := res.TryWrite(block)
				if d.portable && n == 10 {
					break // it waits
				}
				if errors.Is(err, engine.ErrFull) {
					break
				}
				if !ok && err == nil {
					kept++
				}
			}
			if !d.portable && (n == 1000 || kept == 0) {
				t.Errorf("%d blocks were sent, %d kept", n, kept)
			}
			sent <- n
			if string(req.URL()) == "/drain" && !d.portable {
				<-drained
				if _, err := res.TryWrite([]byte("drained")); err != nil {
					t.Error(err)
				}
			}
			_, _ = res.WriteString("then")
			_ = res.EndString("end")
		})
		for path, tail := range map[string]string{"/end": "thenend", "/drain": "drainedthenend"} {
			if d.portable {
				tail = "thenend"
			}
			c := s.dial()
			c.send(request(path))
			n := 11 // in the portable driver
			if !d.portable {
				n = simnet.Receive(t, sent, "the handler")
			}
			a := c.next("")
			if d.portable {
				<-sent
			}
			if want := n*len(block) + len(tail); len(a.body) != want || !strings.HasSuffix(a.body, "x"+tail) {
				t.Errorf("%s: got %d bytes that end in %q, not %d", path, len(a.body), a.body[max(0, len(a.body)-20):], want)
			}
			c.send(request("/cut"))
			if !d.portable {
				simnet.Receive(t, sent, "the handler")
			}
			_ = c.Close()
			if d.portable {
				<-sent
			}
		}
	})
}

// The timeout of one request, with and without timeout functions.
func TestSetTimeout(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var calls atomic.Int32
		errs := make(chan error, 1)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			switch string(req.URL()) {
			case "/cut":
				req.SetTimeout(10*time.Millisecond, nil)
				_, err := req.Read(make([]byte, 1))
				errs <- err
			case "/patient":
				res.SetTimeout(5*time.Millisecond, func() { calls.Add(1) })
				_, err := io.ReadFull(req, make([]byte, 4))
				errs <- err
			case "/answers":
				req.SetTimeout(5*time.Millisecond, func() {
					if calls.Add(1) == 1 {
						_ = res.SetStatus(408)
						_ = res.EndString("too late")
						_ = req.Socket().Close
						req.SetReadDeadline(time.Unix(1, 0))
					}
				})
				_, err := io.ReadFull(req, make([]byte, 4))
				errs <- err
			}
		})
		c := s.dial()
		c.send("POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
		if err := simnet.Receive(t, errs, "the handler"); err != engine.ErrTimeout {
			t.Error(err)
		}
		c.cut()

		c = s.dial()
		c.send("POST /patient HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
		if !simnet.Becomes(func() bool { return calls.Load() >= 2 }) {
			t.Error("the function was not called again")
		}
		c.send("body")
		if err := simnet.Receive(t, errs, "the handler"); err != nil {
			t.Error(err)
		}
		if a := c.next(""); a.StatusCode != 200 {
			t.Error(a.StatusCode)
		}
		calls.Store(0)
		c = s.dial()
		c.send("POST /answers HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
		if a := c.next(""); a.StatusCode != 408 || a.body != "too late" {
			t.Error(a.StatusCode, a.body)
		}
		if err := simnet.Receive(t, errs, "the handler"); err == nil {
			t.Error("the body was read")
		}
	})
}

// A handler that does other things for too long, while nothing is sent or received, loses its
// connection, or its timeout function is called.
func TestInactiveRequest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // it does not check while nobody reads or writes
		}
		for _, how := range []string{"server", "request", "listener"} {
			var calls atomic.Int32
			told := make(chan struct{}, 64)
			s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
				if how == "request" {
					res.SetTimeout(20*time.Millisecond, nil)
				}
				if how == "listener" {
					<-told
					<-told
					_ = res.EndString("simnet.Patience")
					return
				}
				<-req.Context().Done()
				_, err := res.WriteString("too late")
				if !errors.Is(err, net.ErrClosed) && err == nil {
					t.Error("the write succeeded")
				}
			})
			if how != "request" {
				s.Timeouts.Inactive = 20 * time.Millisecond
				s.Timeouts.Idle = 20 * time.Millisecond
			}
			if how == "listener" {
				s.On.Timeout = func(*engine.Socket) { calls.Add(1); told <- struct{}{} }
			}
			s.listen()
			c := s.dial()
			c.send(request("/"))
			if how == "listener" {
				if a := c.next(""); a.body != "simnet.Patience" || calls.Load() < 2 {
					t.Errorf("got %q after %d calls", a.body, calls.Load())
				}
				_ = c.Close()
			} else if rest := c.cut(); rest != "" {
				t.Errorf("%s: got %q", how, rest)
			}
			_ = s.Close()
		}
	})
}

// A request that arrives while Events.Timeout is running for the idle connection is watched like
// any other.
func TestInactiveBehindIdle(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // it does not check while nobody reads or writes
		}
		idle, sent, told := make(chan struct{}), make(chan struct{}), make(chan struct{}, 64)
		var calls atomic.Int32
		s := prepare(t, d, func(_ *engine.Request, res *engine.Response) {
			for len(told) > 0 {
				<-told // of the time before
			}
			<-told
			_ = res.EndString("watched")
		})
		s.Timeouts.Inactive, s.Timeouts.Idle = 20*time.Millisecond, 20*time.Millisecond
		s.On.Timeout = func(*engine.Socket) {
			if calls.Add(1) == 1 {
				close(idle)
				<-sent
			}
			select {
			case told <- struct{}{}:
			default:
			}
		}
		s.listen()
		c := s.dial()
		simnet.Receive(t, idle, "the connection to be idle")
		c.send(request("/"))
		close(sent)
		c.expect(200, "watched")
	})
}

// A body that trickles is not waited for for ever, however steadily it comes.
func TestSlowBody(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		errs := make(chan error, 1)
		s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
			_, err := readAll(req)
			errs <- err
		})
		defer engine.SetBodyGrace(engine.SetBodyGrace(50))
		s.listen()
		c := s.dial()
		c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
		go func() {
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond) // sleep: the client under test is slow
			}
		}()
		var bad *engine.ProtocolError
		if err := simnet.Receive(t, errs, "the handler"); !errors.As(err, &bad) || bad.Status != 408 {
			t.Error(err)
		}
		if a := c.next(""); a.StatusCode != 408 {
			t.Error(a.StatusCode)
		}
	})
}

// The time between two requests does not count against the body of the second.
func TestIdleTimeMakesNoBodySlow(t *testing.T) {
	const grace = time.Second
	defer engine.SetBodyGrace(engine.SetBodyGrace(grace.Milliseconds()))
	allDrivers(t, func(t *testing.T, d driver) {
		running := make(chan struct{})
		s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
			running <- struct{}{}
			body, _ := readAll(req)
			_ = res.End(body)
		})
		s.listen()
		c := s.dial()
		c.send(post("/", "one"))
		<-running
		if a := c.next(""); a.body != "one" {
			t.Errorf("got %q", a.body)
		}
		time.Sleep(grace * 5 / 4) // sleep: the client under test has nothing to say
		c.send(headOf("/", 3))
		<-running
		c.send("two")
		if a := c.next(""); a.StatusCode != 200 || a.body != "two" {
			t.Errorf("got %d %q", a.StatusCode, a.body)
		}
	})
}
