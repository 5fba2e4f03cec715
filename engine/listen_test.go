// Listening: addresses, sockets of other kinds, listeners of other people's making.

package engine_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestAddressInUse: an address already listened on is an error, although the loops of one server
// share theirs. It may be taken by another server of this process, this server, a server of another
// process, or a program other than gale.
func TestAddressInUse(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		first := start(t, d, hello)
		other := spawn(t, "epoll")
		plain, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		s := prepare(t, d, hello)
		_, port, _ := net.SplitHostPort(first.Addr().String())
		for whose, addr := range map[string]string{
			"another server's":    first.Addr().String(),
			"of every interface":  ":" + port,
			"a process's":         other.Addr,
			"a plain listener's":  plain.Addr().String(),
			"a plain one's again": "localhost" + plain.Addr().String()[len("127.0.0.1"):],
		} {
			if err := s.Listen("tcp", addr); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("%s address %s: %v", whose, addr, err)
			}
		}
		if err := first.Listen("tcp", first.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("the server's own address: %v", err)
		}
		if s.Addr() != nil || len(first.Addrs()) != 1 {
			t.Errorf("addresses %v and %v", s.Addr(), first.Addrs())
		}
		first.dial().get("/", "hello")
		s.listen() // a failure is no end
		s.dial().get("/", "hello")
	})
}

func TestBadAddresses(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		for _, bad := range [][2]string{
			{"udp", "127.0.0.1:0"}, {"", "127.0.0.1:0"}, {"tcp", "127.0.0.1"}, {"tcp", "127.0.0.1:99999"},
			{"tcp4", "[::1]:0"}, {"tcp6", "127.0.0.1:0"}, {"tcp", "192.0.2.1:0"}, {"unix", "/nowhere/at/all"}, {"unix", ""},
		} {
			if err := s.Listen(bad[0], bad[1]); err == nil {
				t.Errorf("Listen(%q, %q) went well", bad[0], bad[1])
			}
		}
		if s.Addr() != nil {
			t.Errorf("the server has the address %v", s.Addr())
		}
		if err := (&engine.Server{}).Listen("tcp", "127.0.0.1:0"); err == nil {
			t.Error("a server without a handler listens")
		}
	})
}

// TestSeveralListeners: one server on many addresses of all families; an empty host
// is all of them.
func TestSeveralListeners(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := start(t, d, hello)
		path := filepath.Join(t.TempDir(), "socket")
		for _, at := range [][2]string{{"tcp4", "127.0.0.1:0"}, {"tcp", ":0"}, {"tcp4", ":0"}, {"unix", path}} {
			if err := s.Listen(at[0], at[1]); err != nil {
				t.Fatal(err)
			}
		}
		all := s.Addrs()
		if len(all) != 5 || all[4].String() != path || all[4].Network() != "unix" || s.Addr().String() != all[0].String() {
			t.Fatalf("addresses %v", all)
		}
		_, port, _ := net.SplitHostPort(all[2].String())
		_, port4, _ := net.SplitHostPort(all[3].String())
		dials := [][2]string{
			{"tcp", all[0].String()}, {"tcp", all[1].String()}, {"unix", path},
			{"tcp", "127.0.0.1:" + port}, {"tcp", "127.0.0.1:" + port4},
		}
		if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
			_ = l.Close()
			dials = append(dials, [2]string{"tcp", "[::1]:" + port})
			if err := s.Listen("tcp6", "[::1]:0"); err != nil {
				t.Fatal(err)
			}
			dials = append(dials, [2]string{"tcp", s.Addrs()[5].String()})
		}
		for range 3 {
			for _, to := range dials {
				c, err := net.Dial(to[0], to[1])
				if err != nil {
					t.Fatal(err)
				}
				newClient(t, c).get("/", "hello")
			}
		}
		s.closeNow()
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the socket's file is still there: %v", err)
		}
	})
}

// TestAnyAddress: who can reach a server on the unspecified address of IPv6 can reach package net's.
func TestAnyAddress(t *testing.T) {
	reached := func(host string, at net.Addr) bool {
		_, port, _ := net.SplitHostPort(at.String())
		c, err := net.Dial("tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}
	eachDriver(t, func(t *testing.T, d driver) {
		for _, network := range []string{"tcp", "tcp6"} {
			l, err := net.Listen(network, "[::]:0")
			if err != nil {
				t.Skip("no IPv6 here:", err)
			}
			defer l.Close()
			s := prepare(t, d, hello)
			if err := s.Listen(network, "[::]:0"); err != nil {
				t.Fatal(err)
			}
			for _, host := range []string{"::1", "127.0.0.1"} {
				if got, want := reached(host, s.Addr()), reached(host, l.Addr()); got != want {
					t.Errorf("Listen(%q, \"[::]:0\"): %s is reached %v, package net's %v", network, host, got, want)
				}
			}
		}
	})
}

// dialer is a listener and the way to connect to it.
type dialer struct {
	net.Listener
	dial func() (net.Conn, error)
}

func listeners(t *testing.T) map[string]dialer {
	t.Helper()
	listen := func(network, addr string) dialer {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		return dialer{l, func() (net.Conn, error) { return net.Dial(network, l.Addr().String()) }}
	}
	pipes := simnet.Listen()
	wrapped := listen("tcp", "127.0.0.1:0")
	wrapped.Listener = loud{wrapped.Listener.(*net.TCPListener)}
	return map[string]dialer{
		"tcp":     listen("tcp", "127.0.0.1:0"),
		"unix":    listen("unix", filepath.Join(t.TempDir(), "socket")),
		"pipe":    {pipes, pipes.Dial},
		"wrapped": wrapped,
	}
}

// loud is a listener over TCP whose connections change what passes through: they must
// not be taken for plain sockets, although the listener has all methods of one.
type loud struct{ *net.TCPListener }

func (l loud) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if err != nil {
		return nil, err
	}
	return loudConn{c.(*net.TCPConn)}, nil
}

type loudConn struct{ *net.TCPConn }

func (c loudConn) Write(p []byte) (int, error) {
	return c.TCPConn.Write([]byte(strings.ReplaceAll(string(p), "hello", "HELLO")))
}

// ReadFrom keeps io.Copy and the like from going round Write.
func (c loudConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

func TestServe(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for name, l := range listeners(t) {
			t.Run(name, func(t *testing.T) {
				s := prepare(t, d, routes(map[string]engine.Handler{"/echo": echo}))
				served := make(chan error, 1)
				go func() { served <- s.Serve(l.Listener) }()
				want := "hello"
				if name == "wrapped" {
					want = "HELLO"
				}
				var clients []*client
				for range 5 {
					conn, err := l.dial()
					if err != nil {
						t.Fatal(err)
					}
					c := newClient(t, conn)
					c.get("/", want)
					c.send(post("/echo", "body"))
					c.expect(200, "body")
					clients = append(clients, c)
				}
				if n := s.Connections(); n != len(clients) {
					t.Errorf("%d connections are open, want %d", n, len(clients))
				}
				if plain := name == "tcp" || name == "unix"; plain && havePoller && !d.portable {
					before := runtime.NumGoroutine()
					for range 50 {
						conn, err := l.dial()
						if err != nil {
							t.Fatal(err)
						}
						c := newClient(t, conn)
						c.get("/", want)
						clients = append(clients, c)
					}
					if n := runtime.NumGoroutine() - before; n >= 50 {
						t.Errorf("50 connections have %d goroutines: they are not on the loops", n)
					}
				}
				if s.Addr().String() != l.Addr().String() {
					t.Errorf("the address is %v, want %v", s.Addr(), l.Addr())
				}
				s.closeNow()
				if err := simnet.Receive(t, served, "Serve to return"); err != nil {
					t.Errorf("Serve returned %v", err)
				}
				if _, err := l.dial(); err == nil {
					t.Error("the listener is still open")
				}
				for _, c := range clients {
					if got := c.cut(); got != "" {
						t.Errorf("got %q", got)
					}
				}
			})
		}
	})
}

// TestServeUntilItsListenerCloses: Serve returns, what it accepted is served on.
func TestServeUntilItsListenerCloses(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for name, l := range listeners(t) {
			t.Run(name, func(t *testing.T) {
				s := prepare(t, d, echo)
				served := make(chan error, 1)
				go func() { served <- s.Serve(l.Listener) }()
				conn, err := l.dial()
				if err != nil {
					t.Fatal(err)
				}
				c := newClient(t, conn)
				c.send(post("/", "body"))
				c.expect(200, "body")
				_ = l.Close()
				if err := simnet.Receive(t, served, "Serve to return"); !errors.Is(err, net.ErrClosed) {
					t.Errorf("Serve returned %v", err)
				}
				c.send(post("/", "again"))
				c.expect(200, "again")
				s.closeNow()
				if err := s.Serve(l.Listener); !errors.Is(err, engine.ErrServerClosed) {
					t.Errorf("Serve after Close returned %v", err)
				}
			})
		}
	})
}

func TestServeFD(t *testing.T) {
	if !havePoller {
		t.Skip("descriptors are not served on this platform")
	}
	eachDriver(t, func(t *testing.T, d driver) {
		for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "socket")}} {
			l, err := net.Listen(at[0], at[1])
			if err != nil {
				t.Fatal(err)
			}
			if u, ok := l.(*net.UnixListener); ok {
				u.SetUnlinkOnClose(false)
			}
			f, err := l.(interface{ File() (*os.File, error) }).File()
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
			s, told := prepare(t, d, hello), 0
			s.On.Listening = func() {
				if told++; s.Addr() == nil {
					t.Error("there is no address yet")
				}
			}
			if err := s.ServeFD(f.Fd()); err != nil || told != 1 {
				t.Fatalf("Listening was called %d times: %v", told, err)
			}
			for range 5 {
				c, err := net.Dial(at[0], l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				newClient(t, c).get("/", "hello")
			}
			s.closeNow()
			again, err := net.FileListener(f) // the descriptor stayed ours
			if err != nil {
				t.Fatal(err)
			}
			_ = again.Close()
			_ = f.Close()
		}
		s := prepare(t, d, hello)
		if err := s.ServeFD(1 << 20); err == nil {
			t.Error("a descriptor that is none is served")
		}
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := s.ServeFD(f.Fd()); err == nil {
			t.Error("a descriptor that is no socket is served")
		}
	})
}

// TestConnectionsSpread: every loop gets some, over shared sockets as over one that is
// handed round.
func TestConnectionsSpread(t *testing.T) {
	if !havePoller {
		t.Skip("there are no loops to spread to")
	}
	const n = 64
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			var waiting atomic.Int32
			s := prepare(t, driver{loops: 4}, func(req *engine.Request, res *engine.Response) {
				waiting.Add(1)
				echo(req, res)
			})
			s.Limits.Suspended = n / 2 // of all four loops together there is room for twice n
			addr := "127.0.0.1:0"
			if network == "unix" {
				addr = filepath.Join(t.TempDir(), "socket")
			}
			if err := s.Listen(network, addr); err != nil {
				t.Fatal(err)
			}
			var clients []*client
			for range n {
				conn, err := net.Dial(network, s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				c := newClient(t, conn)
				c.send(headOf("/", 1))
				clients = append(clients, c)
			}
			if !simnet.Becomes(func() bool { return waiting.Load() == n }) {
				t.Fatalf("%d of %d requests are being served: they are not spread", waiting.Load(), n)
			}
			for _, c := range clients {
				c.send("x")
				c.expect(200, "x")
			}
		})
	}
}

// TestFewDescriptors: when they run out, accepting pauses; it resumes when some are released, and
// the waiting clients are served.
func TestFewDescriptors(t *testing.T) {
	if !havePoller {
		t.Skip("limits on descriptors are set on Linux only here")
	}
	srv := spawn(t, "few")
	first := srv.dial(t)
	first.get("/", "hello")
	clients := make([]*client, 2*fewDescriptors)
	for i := range clients {
		clients[i] = srv.dial(t)
	}
	answers := make(chan error, len(clients))
	for _, c := range clients {
		go func() {
			defer c.Close() // makes room for another one
			if _, err := io.WriteString(c, request("/")); err != nil {
				answers <- err
				return
			}
			a, err := c.try("GET")
			if err == nil && a.body != "hello" {
				err = errors.New("got " + a.body)
			}
			answers <- err
		}()
	}
	first.get("/", "hello") // those that have been accepted are served meanwhile
	for range clients {
		if err := simnet.Receive(t, answers, "all to be served"); err != nil {
			t.Error(err)
		}
	}
	first.get("/", "hello")
	srv.dial(t).get("/", "hello")
}

const fewDescriptors = 40
