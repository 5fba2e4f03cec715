// Helpers of the tests: servers in a process of their own (this binary, started again), and
// external programs.

package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// childEnv, when set, makes this binary one of the servers in children instead of a
// test.
const childEnv = "GALE_INTEROP_CHILD"

// children are the servers that this binary can be, by their name in childEnv. Each prints
// its address on its first line, and ends when its standard input does.
var children = map[string]func() *engine.Server{}

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		serveChild(children[name]())
		return
	}
	os.Exit(m.Run())
}

func serveChild(s *engine.Server) {
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// spawn starts a child and ends it with the test.
func spawn(t testing.TB, name string) simnet.Child {
	t.Helper()
	return simnet.Spawn(t, childEnv+"="+name)
}

// start starts a server in this process and closes it with the test.
func start(t testing.TB, s *engine.Server) string {
	t.Helper()
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s.Addr().String()
}

// within returns a context that ends with the test, or when patience does.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), simnet.Patience)
	t.Cleanup(cancel)
	return ctx
}

// dial connects to a server.
func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(simnet.Patience)); err != nil {
		t.Fatal(err)
	}
	return c
}
