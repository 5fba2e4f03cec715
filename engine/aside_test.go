// User functions that are called beside a handler, or after the last one, and do not return.

package engine_test

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestPatienceThatFails: a timeout function that panics or exits costs its connection and nothing
// else.
func TestPatienceThatFails(t *testing.T) {
	ends := map[string]func(){
		"panic":  func() { panic("no simnet.Patience") },
		"Goexit": runtime.Goexit,
	}
	eachDriver(t, func(t *testing.T, d driver) {
		for how, end := range ends {
			for _, who := range []string{"Events.Timeout", "SetTimeout"} {
				errs := make(chan error, 1)
				s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
					if who == "SetTimeout" {
						req.SetTimeout(10*time.Millisecond, end)
					}
					if string(req.URL()) == "/busy" {
						<-req.Context().Done()
						return
					}
					go func() {
						_, err := io.ReadFull(req, make([]byte, 4))
						errs <- err
					}()
					if err := <-errs; err == nil {
						t.Error("the body was read")
					}
				})
				s.Timeouts.Inactive, s.Timeouts.Body = 50*time.Millisecond, 10*time.Millisecond
				if who == "Events.Timeout" {
					s.Timeouts.Idle = 50 * time.Millisecond
					s.On.Timeout = func(*engine.Socket) { end() }
				}
				s.listen()
				if !d.portable { // the portable driver does not check while nobody reads or writes
					c := s.dial()
					c.send(request("/busy"))
					untilLogged(t, s, who)
					c.cut()
				}
				if how == "panic" { // an exit is that of the goroutine which reads
					c := s.dial()
					c.send(headOf("/reads", 4))
					untilLogged(t, s, who)
					c.cut()
				}
				_ = s.Close()
				s.log.take()
			}
		}
	})
}

// TestOnCloseThatFails: nor does an OnClose function cost more.
func TestOnCloseThatFails(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		running := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{"/reset": func(req *engine.Request, res *engine.Response) {
			res.OnClose(func() { panic("no close") })
			running <- struct{}{}
			<-req.Context().Done()
		}, "/": hello}))
		c := s.dial()
		c.send(request("/reset"))
		<-running
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		untilLogged(t, s, "OnClose")
		s.dial().get("/", "hello")
	})
}

// TestOnDrainThatFails: nor an OnDrain function.
func TestOnDrainThatFails(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // nothing is ever kept
		}
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			res.OnDrain(func() { panic("no drain") })
			for block := make([]byte, 64<<10); ; {
				if sent, err := res.TryWrite(block); !sent || err != nil {
					break
				}
			}
			<-req.Context().Done()
		})
		c := s.dial()
		c.send(request("/"))
		_, _ = io.Copy(io.Discard, c)
		untilLogged(t, s, "OnDrain")
	})
}

// TestCloseEventThatFails: the server is closed all the same.
func TestCloseEventThatFails(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, end := range []func(){func() { panic("not closed") }, runtime.Goexit} {
			s := prepare(t, d, hello)
			s.On.Close = end
			s.listen()
			waited := make(chan error)
			go func() { waited <- s.Wait() }()
			go func() { _ = s.Close() }()
			if err := simnet.Receive(t, waited, "Wait"); err != nil {
				t.Error(err)
			}
			if words := s.log.take(); !strings.Contains(words, "Events.Close") {
				t.Errorf("the log says %q", words)
			}
		}
	})
}
