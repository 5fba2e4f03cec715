// Servers in a process of their own: this test binary, started again with childEnv set. They are
// for what a test in the same process would disturb or be disturbed by: memory, descriptor limits,
// addresses.

package engine_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// children are the programs that this binary can be, by their name in childEnv. Each prints its
// address as its first line, and ends when its standard input does.
var children = map[string]func(){
	"epoll":    func() { serveChild(&engine.Server{}) },
	"portable": func() { serveChild(&engine.Server{Portable: true}) },
	"few":      serveFewDescriptors,
	"inherits": serveInherited,
	"tls":      serveTLS,
}

// child is a running one.
type child struct{ simnet.Child }

// spawn starts a child and ends it with the test.
func spawn(t testing.TB, name string) *child {
	t.Helper()
	return &child{simnet.Spawn(t, childEnv+"="+name)}
}

func (c *child) dial(t testing.TB) *client {
	t.Helper()
	conn, err := net.Dial("tcp", c.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func serveTLS() {
	cert := simnet.NewAuthority(new(testing.T)).Issue(new(testing.T), "gale.test")
	serveChild(&engine.Server{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
}

func serveChild(s *engine.Server) {
	s.Handler = childHandler
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		os.Exit(1)
	}
}

// childHandler counts bodies, streams as many bytes as the path asks for (/stream/n),
// gives back what memory it can and tells how many goroutines there are, and greets.
func childHandler(req *engine.Request, res *engine.Response) {
	path := string(req.URL())
	if n, ok := strings.CutPrefix(path, "/stream/"); ok {
		size, _ := strconv.Atoi(n)
		_ = pattern(res, size)
		return
	}
	switch path {
	case "/collect":
		debug.FreeOSMemory()
		_ = res.EndString(strconv.Itoa(runtime.NumGoroutine()))
	case "/count":
		n, err := io.Copy(io.Discard, req)
		if err != nil {
			return
		}
		_ = res.EndString(strconv.FormatInt(n, 10))
	default:
		hello(req, res)
	}
}
