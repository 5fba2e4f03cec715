// What user code may do in the events of a server: each event panics, ends its goroutine, locks its
// thread, takes long, blocks for a while (in a system call, too), changes GOMAXPROCS and never
// returns, and at most its connection suffers. (In C: testdata/cgo.)

package engine_test

import (
	"context"
	"io"
	"log"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// provocations cause each event, by its name; fresh is a connection that has sent nothing.
var provocations = map[string]func(s *server, fresh *client){
	"Listening":  func(s *server, _ *client) { go func() { _ = s.Listen("tcp", "127.0.0.1:0") }() },
	"Close":      nil, // hazards_close_test.go
	"Connection": func(*server, *client) {},
	"CheckContinue": func(_ *server, c *client) {
		c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	},
	"Connect":        func(_ *server, c *client) { c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n") },
	"ConnectRequest": func(_ *server, c *client) { c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n") },
	"Upgrade": func(_ *server, c *client) {
		c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
	},
	"ClientError": func(_ *server, c *client) { c.send("nonsense\r\n\r\n") },
	"Timeout":     func(*server, *client) {}, // it is idle
}

// mishaps are what events do that they should not.
var mishaps = simnet.Mishaps()

func init() { mishaps["aborts"] = func(func()) { panic(engine.ErrAbort) } }

// eachEvent runs a test for each event that exists; the armed function is what the event does the
// next time.
func eachEvent(t *testing.T, d driver, test func(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func())) {
	events := reflect.TypeFor[engine.Events]()
	for i := range events.NumField() {
		name := events.Field(i).Name
		provoke, known := provocations[name]
		if !known {
			t.Errorf("nothing provokes %s", name)
		}
		if provoke == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			var armed atomic.Pointer[func()]
			s := prepare(t, d, hello)
			s.ErrorLog = log.New(io.Discard, "", 0)
			field := reflect.ValueOf(&s.On).Elem().Field(i)
			field.Set(reflect.MakeFunc(field.Type(), func([]reflect.Value) []reflect.Value {
				if do := armed.Swap(nil); do != nil {
					(*do)()
				}
				return nil
			}))
			if name == "Timeout" {
				s.Timeouts.Idle = 10 * time.Millisecond
			}
			s.listen()
			test(t, s, &armed, func() { provoke(s, s.dial()) })
		})
	}
}

func TestEventsMayFail(t *testing.T) {
	simnet.KeepProcs(t)
	allDrivers(t, func(t *testing.T, d driver) { eachEvent(t, d, mayFail) })
}

// mayFail makes the armed function do everything that it should not: others are served.
func mayFail(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func()) {
	for how, mishap := range mishaps {
		t.Log(how)
		other := s.connect()
		if s.Timeouts.Idle != 0 {
			other = nil // it would be idle, too
		}
		getOver(s, other)
		here, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		do := func() {
			defer close(done)
			close(here)
			mishap(func() { <-proceed })
		}
		armed.Store(&do)
		provoke()
		simnet.Receive(t, here, "what is armed")
		for range 3 {
			getOver(s, other)
		}
		close(proceed)
		simnet.Receive(t, done, "what is armed to end")
		getOver(s, other)
		getOver(s, nil)
	}
}

// getOver asks over a connection, over a new one when it is nil.
func getOver(s *server, c *client) {
	s.t.Helper()
	if c == nil {
		c = s.connect()
	}
	c.get("/", "hello")
}

// TestEventsMayNeverReturn: Shutdown ends by its deadline.
func TestEventsMayNeverReturn(t *testing.T) {
	allDrivers(t, func(t *testing.T, d driver) { eachEvent(t, d, mayNeverReturn) })
}

func mayNeverReturn(t *testing.T, s *server, armed *atomic.Pointer[func()], provoke func()) {
	getOver(s, nil) // crypto/tls asks for the time under a lock, the first time
	here, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	never := func() {
		defer close(done)
		close(here)
		<-release
	}
	armed.Store(&never)
	provoke()
	simnet.Receive(t, here, "what is armed")
	s.connect().get("/", "hello")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(ctx) }()
	simnet.Receive(t, ended, "Shutdown")
	close(release)
	simnet.Receive(t, done, "what is armed to return after all")
}
