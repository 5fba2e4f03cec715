// Sockets passed to this process: as a descriptor by whoever started it, or by systemd with its
// LISTEN_ variables (sd_listen_fds(3)).

package engine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// ServeFD starts serving a bound socket, given by its descriptor, and returns (seed:
// server.listen(handle)). The descriptor stays the caller's; ServeFD duplicates it. If the socket
// does not listen yet, it does from then on, with Backlog.
func (s *Server) ServeFD(fd uintptr) error {
	err := s.serveFD(fd)
	if err == nil {
		s.notifyListening()
	}
	return err
}

func (s *Server) serveFD(fd uintptr) error {
	own, err := sys.Dup(int(fd))
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	if err := s.start(); err != nil {
		sys.Close(own)
		return err
	}
	if err := sys.StartListening(own, s.backlog()); err != nil {
		sys.Close(own)
		return err
	}
	if !s.run.group.Portable() {
		return s.serveOwn(own)
	}
	file := os.NewFile(uintptr(own), "listener")
	l, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		return err
	}
	return s.background(l, nil)
}

// serveOwn makes the first loop accept on a listening descriptor, which it takes over. The caller
// holds s.run.mu.
func (s *Server) serveOwn(fd int) error {
	at, err := sys.LocalAddr(fd)
	if err == nil {
		err = sys.SetNonblock(fd)
	}
	if err != nil {
		sys.Close(fd)
		return err
	}
	if err := s.openAcceptors([]int{fd}, true, at.Path == ""); err != nil {
		return err
	}
	s.run.listeners = append(s.run.listeners, &listener{addr: loop.NetAddr(at), close: func() {}})
	return nil
}

// inherited holds the descriptors that systemd has passed to this process and that no call has
// served yet.
var inherited struct {
	sync.Mutex
	known bool
	fds   []namedFD
}

type namedFD struct {
	name string
	fd   int
}

// firstInherited is the first descriptor that systemd passes.
const firstInherited = 3

// mostInherited bounds LISTEN_FDS: systemd cannot pass as many.
const mostInherited = 1 << 16

// ServeInherited starts serving the sockets that systemd has opened for this process (socket
// activation: LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), and returns. With names, it serves the
// sockets of those names, otherwise all that no other call has served. It fails when there are
// none. Child processes inherit neither the sockets nor the variables. If LISTEN_FDS is not a
// number in range, the error wraps a *strconv.NumError.
func (s *Server) ServeInherited(names ...string) error {
	n, err := s.serveInherited(names)
	for range n {
		s.notifyListening()
	}
	return err
}

// serveInherited returns how many sockets it has started to serve, also with an error.
func (s *Server) serveInherited(names []string) (n int, err error) {
	inherited.Lock()
	defer inherited.Unlock()
	if !inherited.known {
		fds, err := activated()
		if err != nil {
			return 0, err
		}
		inherited.known, inherited.fds = true, fds
	}
	for len(inherited.fds) > 0 {
		i := slices.IndexFunc(inherited.fds, func(f namedFD) bool {
			return len(names) == 0 || slices.Contains(names, f.name)
		})
		if i < 0 {
			break
		}
		f := inherited.fds[i]
		if err := s.serveFD(uintptr(f.fd)); err != nil {
			return n, fmt.Errorf("gale: the inherited socket %q (descriptor %d): %w", f.name, f.fd, err)
		}
		sys.Close(f.fd)
		inherited.fds = slices.Delete(inherited.fds, i, i+1)
		n++
	}
	if n == 0 {
		return 0, errors.New("gale: no socket was inherited: is this process started by a systemd socket unit of that name?")
	}
	return n, nil
}

// activated returns the descriptors that the environment announces for this process, and removes
// the variables.
func activated() ([]namedFD, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil // for another process, or for none
	}
	n, err := strconv.ParseUint(count, 10, 32)
	if err == nil && n > mostInherited {
		err = &strconv.NumError{Func: "ParseUint", Num: count, Err: strconv.ErrRange}
	}
	if err != nil {
		return nil, fmt.Errorf("gale: LISTEN_FDS should be a number of sockets, at most %d: %w", mostInherited, err)
	}
	fds := make([]namedFD, n)
	for i := range fds {
		fds[i] = namedFD{"unknown", firstInherited + i} // the default name of sd_listen_fds_with_names, too
		if i < len(names) && names[i] != "" {
			fds[i].name = names[i]
		}
		sys.CloseOnExec(fds[i].fd)
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	return fds, nil
}
