// What all tests of this package are built on: the drivers, a server that is checked for leaks and
// for log messages when its test ends, and the child processes (this same binary, started again)
// that measure memory.

package engine_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/simnet"
)

// childEnv, when set, makes this binary one of the programs in children instead
// of a test.
const childEnv = "GALE_ENGINE_CHILD"

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		children[name]()
		return
	}
	// The runtime's poller opens its descriptors at first use and keeps them.
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = l.Close()
	}
	os.Exit(m.Run())
}

// driver is one way of running a server.
type driver struct {
	name     string
	loops    int
	portable bool
	dispatch engine.Dispatch
}

// havePoller tells whether servers have event loops here.
const havePoller = loop.HavePoller

var drivers = []driver{
	{"one loop", 1, false, engine.Auto},
	{"two loops", 2, false, engine.Inline},
	{"goroutines", 1, false, engine.Goroutine},
	{"portable", 1, true, engine.Auto},
}

// eachDriver runs a test on every driver that this platform has.
func eachDriver(t *testing.T, test func(t *testing.T, d driver)) {
	for _, d := range drivers {
		if d.portable || havePoller {
			t.Run(d.name, func(t *testing.T) { test(t, d) })
		}
	}
}

// allDrivers is eachDriver with all drivers at once: for tests that wait for a time which is
// the server's, and measure none. (Parallel would have as many at once as there are Ps.)
func allDrivers(t *testing.T, test func(t *testing.T, d driver)) {
	population.enter() // a test beginning while another one ends is no leak of that one's
	defer population.leave(t)
	var all sync.WaitGroup
	defer all.Wait()
	for _, d := range drivers {
		if d.portable || havePoller {
			all.Go(func() { t.Run(d.name, func(t *testing.T) { test(t, d) }) })
		}
	}
}

// server is a server under test and what it logged.
type server struct {
	*engine.Server
	t   testing.TB
	log logBuffer

	over *tls.Config // what connect shakes hands with; nil: it does not
}

// prepare returns a server that does not listen yet. When the test ends, the server is closed, and
// nothing of it may be left: no goroutine, no descriptor, no connection, no log message that the
// test has not taken.
func prepare(t testing.TB, d driver, h engine.Handler) *server {
	t.Helper()
	s := &server{Server: &engine.Server{Handler: h, Loops: d.loops, Portable: d.portable, Dispatch: d.dispatch}, t: t}
	s.ErrorLog = log.New(&s.log, "", 0)
	population.enter()
	t.Cleanup(func() {
		_ = s.Close()
		// A handler that lost its loop may return while, or after, the server closes.
		if !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
			t.Errorf("%d connections are left", s.Connections())
		}
		if words := s.log.take(); words != "" {
			t.Errorf("unexpected words in the log:\n%s", words)
		}
		population.leave(t)
	})
	return s
}

// start returns a server that listens on a free port of 127.0.0.1.
func start(t testing.TB, d driver, h engine.Handler) *server {
	t.Helper()
	s := prepare(t, d, h)
	s.listen()
	return s
}

func (s *server) listen() {
	s.t.Helper()
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		s.t.Fatal(err)
	}
}

// logBuffer collects what a server logs.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	text := b.text.String()
	b.text.Reset()
	return text
}

// census is what may leak: counted before the first of the servers that a test has at
// one time, and again when the last of them is closed.
type census struct {
	mu      sync.Mutex
	servers int
	before  count
}

type count struct{ goroutines, descriptors int }

var population census

func countNow() count { return count{runtime.NumGoroutine(), openDescriptors()} }

func (p *census) enter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.servers++; p.servers == 1 {
		p.before = countNow()
	}
}

func (p *census) leave(t testing.TB) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.servers--; p.servers > 0 {
		return
	}
	var now count
	ok := simnet.Becomes(func() bool {
		now = countNow()
		return now.goroutines <= p.before.goroutines && now.descriptors <= p.before.descriptors
	})
	if !ok {
		t.Errorf("leaked: %+v before, %+v now\n%s", p.before, now, simnet.Stacks())
	}
}

// dial connects to a server over TCP.
func (s *server) dial() *client {
	s.t.Helper()
	return dialTo(s.t, "tcp", s.Addr().String())
}

func dialTo(t testing.TB, network, addr string) *client {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

// connect is dial, over TLS where over says so.
func (s *server) connect() *client {
	s.t.Helper()
	if s.over == nil {
		return s.dial()
	}
	return (&secure{server: s, client: s.over}).dialTLS(nil)
}

// request is a GET of path in HTTP/1.1.
func request(path string) string { return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path) }

// post is a POST to path in HTTP/1.1 with a counted body.
func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// hello answers every request in the same way.
func hello(_ *engine.Request, res *engine.Response) { _ = res.EndString("hello") }

// readAll reads a request's body.
func readAll(req *engine.Request) ([]byte, error) { return io.ReadAll(req) }
