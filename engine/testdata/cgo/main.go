// Command cgo makes handlers of the engine, its events, and functions that handlers register block
// in C until other requests have been served, on each driver.
package main

/*
#include <unistd.h>

static int await(int fd) {
	char c = 0;
	return read(fd, &c, 1) == 1 ? c : -1;
}
*/
import "C"

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gale-http/gale/engine"
)

func drivers() []*engine.Server {
	return []*engine.Server{
		{Loops: 1},
		{Loops: 2, Dispatch: engine.Inline},
		{Loops: 1, Dispatch: engine.Goroutine},
		{Portable: true},
	}
}

func main() {
	for _, s := range drivers() {
		handlers(s)
	}
	for _, e := range events {
		for _, s := range drivers() {
			e.run(s)
		}
	}
	fmt.Println("served meanwhile")
}

// pipe is what C code blocks on.
type pipe struct {
	r, w    *os.File
	blocked chan struct{} // receives when a function begins to wait
}

func newPipe() *pipe {
	r, w, err := os.Pipe()
	check(err)
	return &pipe{r, w, make(chan struct{})}
}

func (p *pipe) await() string {
	fd := C.int(p.r.Fd())
	p.blocked <- struct{}{}
	return string(rune(C.await(fd)))
}

func (p *pipe) release(n int) {
	_, err := p.w.WriteString(strings.Repeat("x", n))
	check(err)
}

func (p *pipe) close() {
	_ = p.r.Close()
	_ = p.w.Close()
}

// handlers keeps more handlers in C than there are Ps.
func handlers(s *engine.Server) {
	p := newPipe()
	defer p.close()
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if string(req.URL()) == "/c" {
			_ = res.EndString(p.await())
			return
		}
		_ = res.EndString("hello")
	}
	check(s.Listen("tcp", "127.0.0.1:0"))
	late, n := make(chan string), 2*runtime.GOMAXPROCS(0)+2
	for range n {
		go func() { late <- get(s, "/c") }()
		<-p.blocked
		served(s)
	}
	p.release(n)
	for range n {
		if got := <-late; got != "x" {
			log.Fatalf("got %q", got)
		}
	}
	check(s.Close())
}

// event is a case in which one function blocks in C: fn is called once text has been sent and then
// has dealt with the rest of the connection.
type event struct {
	name string
	set  func(s *engine.Server, fn func())
	text string
	then func(c net.Conn)
}

const ask = "GET /c HTTP/1.1\r\nHost: a\r\n\r\n"

var events = []event{
	{"Connection", func(s *engine.Server, fn func()) { s.On.Connection = func(*engine.Socket) { fn() } }, ask, nil},
	{"CheckContinue", func(s *engine.Server, fn func()) {
		s.On.CheckContinue = func(*engine.Request, *engine.Response) { fn() }
	}, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n", nil},
	{"Connect", func(s *engine.Server, fn func()) {
		s.On.Connect = func(_ *engine.Request, c *engine.Socket, _ []byte) { fn(); _ = c.Close() }
	}, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", nil},
	{"ConnectRequest", func(s *engine.Server, fn func()) {
		s.On.ConnectRequest = func(*engine.Request, *engine.Response) { fn() }
	}, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", nil},
	{"Upgrade", func(s *engine.Server, fn func()) {
		s.On.Upgrade = func(_ *engine.Request, c *engine.Socket, _ []byte) { fn(); _ = c.Close() }
	}, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", nil},
	{"ClientError", func(s *engine.Server, fn func()) {
		s.On.ClientError = func(error, *engine.Socket) { fn() }
	}, "nonsense\r\n\r\n", nil},
	{"Timeout", func(s *engine.Server, fn func()) {
		s.Timeouts.Idle = 10 * time.Millisecond
		s.On.Timeout = func(*engine.Socket) { fn() }
	}, "", nil},
	{"OnFinish", leaves(func(_ *engine.Request, res *engine.Response, fn func()) { res.OnFinish(fn) }), ask, nil},
	{"OnClose", leaves(func(req *engine.Request, res *engine.Response, fn func()) {
		res.OnClose(fn)
		_ = res.Flush()
		<-req.Context().Done()
	}), ask, func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}},
	{"SetTimeout", leaves(func(req *engine.Request, _ *engine.Response, fn func()) {
		req.SetTimeout(10*time.Millisecond, fn)
		_, _ = io.Copy(io.Discard, req)
	}), "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n", nil},
	{"Listening", func(s *engine.Server, fn func()) { s.On.Listening = fn }, "", nil},
	{"Close", func(s *engine.Server, fn func()) { s.On.Close = fn }, "", nil},
}

// leaves makes the handler of /c register fn.
func leaves(do func(req *engine.Request, res *engine.Response, fn func())) func(*engine.Server, func()) {
	return func(s *engine.Server, fn func()) {
		s.Handler = func(req *engine.Request, res *engine.Response) {
			if string(req.URL()) == "/c" {
				do(req, res, fn)
				return
			}
			_ = res.EndString("hello")
		}
	}
}

func (e *event) run(s *engine.Server) {
	p := newPipe()
	defer p.close()
	s.Handler = func(_ *engine.Request, res *engine.Response) { _ = res.EndString("hello") }
	armed, done := make(chan struct{}, 1), make(chan struct{})
	e.set(s, func() {
		select {
		case <-armed:
			p.await()
			close(done)
		default:
		}
	})
	check(s.Listen("tcp", "127.0.0.1:0"))
	armed <- struct{}{}
	closed := make(chan error, 1)
	switch e.name {
	case "Listening":
		go func() { check(s.Listen("tcp", "127.0.0.1:0")) }()
	case "Close":
		go func() { closed <- s.Close() }()
	default:
		c, err := net.Dial("tcp", s.Addr().String())
		check(err)
		defer c.Close()
		_, err = io.WriteString(c, e.text)
		check(err)
		if e.then != nil {
			e.then(c)
		}
	}
	<-p.blocked
	if e.name != "Close" {
		served(s)
	}
	p.release(1)
	<-done
	check(s.Close())
}

// served makes a request over a connection of its own.
func served(s *engine.Server) {
	if got := get(s, "/"); got != "hello" {
		log.Fatalf("got %q", got)
	}
}

func get(s *engine.Server, path string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + s.Addr().String() + path)
	check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	check(err)
	return string(body)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
