//go:build linux

// Accepting on the loops: which loop gets a connection, what accepting costs, and what is left open
// when it cannot begin.

package engine_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// A descriptor that the poller refuses must not stay open, and neither must those that it accepted.
func TestAcceptorsAllOrNone(t *testing.T) {
	s := start(t, driver{name: "four loops", loops: 4}, hello)
	for bad := range 4 {
		before := openDescriptors()
		fds := make([]int, 4)
		for i := range fds {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if i == bad {
				_ = unix.Close(fd)
				fd, err = unix.Open(os.Args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0) // a file is always ready: epoll refuses it
			}
			if err != nil {
				t.Fatal(err)
			}
			fds[i] = fd
		}
		if err := s.OpenAcceptors(fds); err == nil {
			t.Fatal("a file was taken for a listening socket")
		}
		if !simnet.Becomes(func() bool { return openDescriptors() <= before }) {
			t.Errorf("%d descriptors have become %d", before, openDescriptors())
		}
	}
	s.dial().get("/", "hello")
}

// Accepted sockets have Nagle's algorithm off, without a system call for each.
func TestAcceptedSocketsDoNotDelay(t *testing.T) {
	delays := make(chan int, 1)
	s := start(t, driver{name: "one loop", loops: 1}, func(_ *engine.Request, res *engine.Response) {
		socket, _, err := res.Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer socket.Close()
		on := -1
		for fd := range 1024 { // the one whose peer is our client
			if at, err := unix.Getpeername(fd); err == nil {
				if at, ok := at.(*unix.SockaddrInet4); ok && strconv.Itoa(at.Port) == portIn(socket.RemoteAddr()) {
					on, _ = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
				}
			}
		}
		delays <- on
	})
	s.dial().send(request("/"))
	if on := simnet.Receive(t, delays, "the option"); on != 1 {
		t.Errorf("TCP_NODELAY is %d", on)
	}
}

// The connections of a single listener go to the loop that has the fewest, also after some have
// left.
func TestLeastLoadedLoop(t *testing.T) {
	s := prepare(t, driver{name: "three loops", loops: 3}, hello)
	path := t.TempDir() + "/socket"
	if err := s.Listen("unix", path); err != nil {
		t.Fatal(err)
	}
	var all []*client
	for range 30 {
		c := dialTo(t, "unix", path)
		c.get("/", "hello")
		all = append(all, c)
	}
	for i := 0; i < 30; i += 3 { // all of one loop, as they went round
		_ = all[i].Close()
	}
	if !simnet.Becomes(func() bool { return s.Connections() == 20 }) {
		t.Fatalf("%d connections are left", s.Connections())
	}
	for range 10 {
		dialTo(t, "unix", path).get("/", "hello")
	}
	if loads := s.Loads(); slices.Max(loads) != 10 || slices.Min(loads) != 10 {
		t.Errorf("the loops have %v connections", loads)
	}
}

// Where each loop has a socket of its own, a crowded loop passes new connections on.
func TestCrowdedLoop(t *testing.T) {
	s := start(t, driver{name: "two loops", loops: 2}, func(req *engine.Request, res *engine.Response) {
		_ = res.EndString(strconv.Itoa(req.LoopIndex()))
	})
	const n = 200
	for range n {
		c := s.dial()
		c.send(request("/"))
		if a := c.next(""); a.body == "0" {
			_ = c.Close()
		}
	}
	if !simnet.Becomes(func() bool { return s.Loads()[0] == 0 }) {
		t.Fatalf("the loops have %v connections", s.Loads())
	}
	for range n {
		c := s.dial()
		c.send(request("/"))
		c.next("")
	}
	loads := s.Loads()
	if low, high := slices.Min(loads), slices.Max(loads); high > low+low/8+17 {
		t.Errorf("the loops have %v connections", loads)
	}
}

// A connection that has sent nothing is not there yet.
func TestDeferAccept(t *testing.T) {
	s := prepare(t, driver{name: "one loop", loops: 1}, hello)
	s.Sockets.DeferAccept = true
	s.listen()
	silent, c := s.dial(), s.dial()
	c.get("/", "hello")
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections were accepted, want 1", n)
	}
	silent.get("/", "hello")
	if n := s.Connections(); n != 2 {
		t.Errorf("%d connections were accepted, want 2", n)
	}
}

// TestInherited: a child is started as systemd would start it, with two sockets.
func TestInherited(t *testing.T) {
	var files []*os.File
	var addrs []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, l.Addr().String())
		_ = l.Close()
		files = append(files, f)
	}
	cmd := exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=inherits", "LISTEN_FDS=2", "LISTEN_FDNAMES=web:admin")
	cmd.ExtraFiles, cmd.Stderr = files, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		_ = f.Close()
	}
	for i, want := range []string{"web", "admin"} {
		c, err := net.Dial("tcp", addrs[i])
		if err != nil {
			t.Fatal(err)
		}
		newClient(t, c).get("/", want)
	}
	_ = in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// serveInherited is the child of TestInherited.
func serveInherited() {
	servers := map[string]*engine.Server{}
	for _, name := range []string{"admin", "web"} {
		told := 0
		s := &engine.Server{Loops: 1, Handler: func(_ *engine.Request, res *engine.Response) { _ = res.EndString(name) }}
		s.On.Listening = func() { told++ }
		if err := s.ServeInherited(name); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		if told != 1 {
			println("Events.Listening was called", told, "times")
			os.Exit(1)
		}
		servers[name] = s
	}
	if err := (&engine.Server{Handler: hello}).ServeInherited(); err == nil || os.Getenv("LISTEN_FDS") != "" {
		println("nothing was left, but that was served")
		os.Exit(1)
	}
	for fd := 3; fd <= 4; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			if kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err == nil && kind != 0 {
				if flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); flags&syscall.FD_CLOEXEC == 0 {
					println("the sockets are passed on")
					os.Exit(1)
				}
			}
		}
	}
	var b [1]byte
	_, _ = os.Stdin.Read(b[:])
	for _, s := range servers {
		_ = s.Close()
	}
}

// A LISTEN_FDS that cannot be a number of sockets is refused.
func TestInheritedNumber(t *testing.T) {
	engine.ForgetInherited() // which another test has found to be nothing
	s := prepare(t, driver{name: "one loop", loops: 1}, hello)
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	for count, want := range map[string]error{
		"": strconv.ErrSyntax, "-1": strconv.ErrSyntax, "two": strconv.ErrSyntax,
		"65537": strconv.ErrRange, "9223372036854775807": strconv.ErrRange, "9223372036854775808": strconv.ErrRange,
	} {
		t.Setenv("LISTEN_FDS", count)
		var bad *strconv.NumError
		if err := s.ServeInherited(); !errors.As(err, &bad) || bad.Err != want || !strings.Contains(err.Error(), "LISTEN_FDS") {
			t.Errorf("LISTEN_FDS=%q: %v", count, err)
		}
	}
}

func TestNothingInherited(t *testing.T) {
	s := prepare(t, driver{name: "one loop", loops: 1}, hello)
	if err := s.ServeInherited(); err == nil || !strings.Contains(err.Error(), "systemd") {
		t.Errorf("without inherited sockets: %v", err)
	}
}

// TestServeFDOfBoundSockets: a handle is presumed to be bound, and no more (seed:
// server.listen(handle)).
func TestServeFDOfBoundSockets(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		socket := func(family, kind int) int {
			fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = unix.Close(fd) })
			return fd
		}
		fd := socket(unix.AF_INET, unix.SOCK_STREAM)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		s := prepare(t, d, hello)
		if err := s.ServeFD(uintptr(fd)); err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		newClient(t, c).get("/", "hello")

		datagrams := socket(unix.AF_INET, unix.SOCK_DGRAM)
		if err := unix.Bind(datagrams, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open("accept_fd_test.go")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		before := openDescriptors()
		for what, fd := range map[string]int{
			"a socket that is not bound":          socket(unix.AF_INET, unix.SOCK_STREAM),
			"a socket of unix without an address": socket(unix.AF_UNIX, unix.SOCK_STREAM),
			"datagrams":                           datagrams,
			"a file":                              int(file.Fd()),
		} {
			if err := s.ServeFD(uintptr(fd)); err == nil {
				t.Errorf("%s is served", what)
			}
		}
		if after := openDescriptors(); after != before+2 { // the two that were opened for the map
			t.Errorf("%d descriptors were open, and now %d", before, after)
		}
	})
}
