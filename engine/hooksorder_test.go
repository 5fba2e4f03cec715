// Which functions of a handler are called when two things happen on its connection at once: only
// one of them counts.

package engine_test

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestTimeoutOfATakenConnection: if a connection is taken over while one timeout function runs, the
// next one, and Events.Timeout, must not be able to close it.
func TestTimeoutOfATakenConnection(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // it does not check while nobody reads or writes
		}
		for _, second := range []string{"SetTimeout", "Events.Timeout"} {
			t.Run(second, func(t *testing.T) {
				var told atomic.Int32
				t.Cleanup(func() { // behind prepare's, which waits for all goroutines
					if n := told.Load(); n > 0 {
						t.Errorf("%s was told %d times", second, n)
					}
				})
				inside, taken := make(chan struct{}), make(chan struct{})
				s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
					if second == "SetTimeout" {
						res.SetTimeout(soon/3, func() { told.Add(1); _ = req.Socket().Close() })
					}
					var first atomic.Bool
					req.SetTimeout(soon/3, func() {
						if first.CompareAndSwap(false, true) {
							req.SetTimeout(time.Hour, nil) // or the second may be told before the connection is taken
							close(inside)
							<-taken
						}
					})
					<-inside
					socket, _, err := res.Hijack()
					close(taken)
					if err != nil {
						t.Error(err)
						return
					}
					defer socket.Close()
					_, _ = socket.Write([]byte("taken"))
					var p [1]byte
					if n, _ := socket.Read(p[:]); n != 1 {
						t.Error("the connection that was taken over has ended")
					}
				})
				if second == "Events.Timeout" {
					s.On.Timeout = func(socket *engine.Socket) { told.Add(1); _ = socket.Close() }
				}
				s.listen()
				c := s.dial()
				c.send(request("/"))
				expectText(t, c, "taken")
				c.send("x")
				c.ended()
			})
		}
	})
}

// TestFinishBehindClose: a handler that was told of the connection's failure is not told as well
// that its answer, which was sent before, has been handed to the kernel.
func TestFinishBehindClose(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var finished, closed atomic.Int32
		running, done := make(chan struct{}), make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{"/": func(req *engine.Request, res *engine.Response) {
			defer close(done)
			told := make(chan struct{})
			res.OnClose(func() { closed.Add(1); close(told) })
			_ = res.SetHeader("Content-Length", "6")
			if _, err := res.WriteString("answer"); err != nil { // the kernel has all of it now
				t.Error(err)
			}
			close(running)
			if d.portable { // which hears of it at the next read or write only
				<-req.Context().Done()
			} else {
				<-told
			}
			res.OnFinish(func() { finished.Add(1) })
		}, "/hello": hello}))
		c := s.dial()
		c.send(request("/"))
		simnet.Receive(t, running, "the handler")
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		simnet.Receive(t, done, "the handler to return")
		s.dial().get("/hello", "hello")
		// OnClose may still be about to be called, on a goroutine that nobody waits for.
		if !simnet.Becomes(func() bool { return s.Connections() <= 1 && finished.Load()+closed.Load() > 0 }) {
			t.Error("the connection is left, or nothing was told")
		}
		if f, c := finished.Load(), closed.Load(); f+c != 1 || !d.portable && c != 1 {
			t.Errorf("OnFinish was told %d times, OnClose %d times", f, c)
		}
	})
}
