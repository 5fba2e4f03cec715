// A peer that has gone by the time its request is read: context and hooks must hear of it, although
// no further event comes.

package engine_test

import (
	"net"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestContextOfARequestThatCameWithTheEnd: the connection already has a context, and the hang-up
// was noted together with the request.
func TestContextOfARequestThatCameWithTheEnd(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		ended := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{
			"/ask": func(req *engine.Request, res *engine.Response) {
				_ = req.Context()
				hello(req, res)
			},
			"/wait": func(req *engine.Request, _ *engine.Response) {
				<-req.Context().Done()
				ended <- struct{}{}
			},
		}))
		for range 50 { // nearly always together
			c := s.dial()
			c.get("/ask", "hello")
			c.send(request("/wait"))
			c.halfClose()
			simnet.Receive(t, ended, "the context to end")
			_ = c.Close()
		}
	})
}

// TestCloseOfARequestThatCameWithTheEnd: OnClose is set after the connection has failed.
func TestCloseOfARequestThatCameWithTheEnd(t *testing.T) {
	if !havePoller {
		t.Skip("without a poller a failure is only seen by reading")
	}
	for _, d := range drivers[:3] {
		t.Run(d.name, func(t *testing.T) {
			told := make(chan struct{})
			s := start(t, d, routes(map[string]engine.Handler{"/wait": func(_ *engine.Request, res *engine.Response) {
				heard := make(chan struct{})
				res.OnClose(func() { close(heard) })
				<-heard
				told <- struct{}{}
			}}))
			for range 50 {
				c := s.dial()
				c.get("/", "hello")
				c.send(request("/wait"))
				_ = c.Conn.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
				simnet.Receive(t, told, "OnClose to be called")
			}
		})
	}
}
