// Listening: from an address, a net.Listener or a descriptor to connections on
// the loops. How the loops bind and accept is accept.go's.

package engine

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

const defaultBacklog = 511

// listener is one address that a server accepts on.
type listener struct {
	addr  net.Addr
	close func()
}

// Listen binds addr, starts serving it, and returns (seed: server.listen).
// network is "tcp", "tcp4", "tcp6" or "unix". Port 0 is any free one: Addr tells.
// An empty host is all addresses, of both families where the system has both. An
// address that is in use is an error, although the loops share theirs.
func (s *Server) Listen(network, addr string) error {
	err := s.listen(network, addr)
	if err == nil {
		s.listening()
	}
	return err
}

// listening tells Events.Listening.
func (s *Server) listening() {
	if s.On.Listening != nil {
		s.On.Listening()
	}
}

func (s *Server) listen(network, addr string) error {
	at, err := resolve(network, addr)
	if err != nil {
		return &net.OpError{Op: "listen", Net: network, Err: err}
	}
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	if err := s.start(); err != nil {
		return err
	}
	if s.run.group.Portable() {
		l, err := net.Listen(network, addr)
		if err != nil {
			return err
		}
		return s.background(l)
	}
	if err := s.bind(network, at); err != nil {
		return &net.OpError{Op: "listen", Net: network, Addr: loop.NetAddr(at), Err: err}
	}
	return nil
}

// Serve accepts connections on l until the server or l is closed, and serves them.
// Those that are plain TCP or unix sockets go to the loops; any other is served by a
// goroutine of its own. It closes l before it returns, nil when that was
// the server's doing.
func (s *Server) Serve(l net.Listener) error {
	s.run.mu.Lock()
	accept, err := s.open(l)
	s.run.mu.Unlock()
	if err != nil {
		_ = l.Close()
		return err
	}
	s.listening()
	return accept()
}

// ServeFD serves a bound and listening descriptor that this process was given,
// which stays the caller's, and returns (seed: server.listen(handle)).
func (s *Server) ServeFD(fd uintptr) error {
	own, err := sys.Dup(int(fd))
	if err != nil {
		return os.NewSyscallError("dup", err)
	}
	file := os.NewFile(uintptr(own), "listener")
	l, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		return err
	}
	s.run.mu.Lock()
	err = s.background(l)
	s.run.mu.Unlock()
	if err == nil {
		s.listening()
	}
	return err
}

// background serves l on a goroutine of the server. The lock is held.
func (s *Server) background(l net.Listener) error {
	accept, err := s.open(l)
	if err != nil {
		_ = l.Close()
		return err
	}
	go func() {
		if err := accept(); err != nil {
			s.logf("gale: serving %v has ended: %v", l.Addr(), err)
		}
	}()
	return nil
}

// open registers l and returns what accepts on it. The lock is held.
func (s *Server) open(l net.Listener) (accept func() error, err error) {
	if err := s.start(); err != nil {
		return nil, err
	}
	s.run.listeners = append(s.run.listeners, &listener{addr: l.Addr(), close: func() { _ = l.Close() }})
	s.run.serving.Add(1)
	return func() error {
		defer s.run.serving.Done()
		defer l.Close()
		err := s.acceptFrom(l)
		if s.run.closing.Load() {
			return nil
		}
		return err
	}, nil
}

// acceptFrom accepts on l until it is closed. Plain sockets go to the loops, in turn;
// any other connection, and any in a group without a poller, gets a goroutine.
func (s *Server) acceptFrom(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			var passing interface{ Temporary() bool }
			if errors.As(err, &passing) && passing.Temporary() {
				s.logf("gale: accepting on %v: %v", l.Addr(), err)
				pause()
				continue
			}
			return err
		}
		group := s.run.group
		if !group.Portable() && s.takeSocket(c) {
			continue
		}
		if !group.Next().Goroutine(func(w *loop.Worker) { s.serveNetConn(w, c) }) {
			_ = c.Close()
		}
	}
}

func (s *Server) closeListeners() {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for _, l := range s.run.listeners {
		l.close()
	}
}

func (s *Server) backlog() int {
	if s.Backlog > 0 {
		return s.Backlog
	}
	return defaultBacklog
}

// resolve turns an address as net.Listen takes it into a socket address.
func resolve(network, addr string) (sys.Addr, error) {
	switch network {
	case "unix":
		return sys.Addr{Path: addr}, nil
	case "tcp", "tcp4", "tcp6":
	default:
		return sys.Addr{}, net.UnknownNetworkError(network)
	}
	t, err := net.ResolveTCPAddr(network, addr)
	if err != nil {
		return sys.Addr{}, err
	}
	if t.IP != nil {
		return sys.Addr{IP: t.AddrPort()}, nil
	}
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	switch {
	case network == "tcp4" || network == "tcp" && !haveIPv6():
		return sys.Addr{IP: netip.AddrPortFrom(any4, uint16(t.Port))}, nil
	default:
		return sys.Addr{IP: netip.AddrPortFrom(any6, uint16(t.Port)), Any6: network == "tcp"}, nil
	}
}

// haveIPv6 tells whether the system has IPv6 at all.
func haveIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
