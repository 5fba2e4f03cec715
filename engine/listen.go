// Listening: from an address, a net.Listener or a descriptor to connections on the loops. How loops
// bind and accept is in accept.go.

package engine

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

const defaultBacklog = 511

// listener is one address that a server accepts on.
type listener struct {
	addr  net.Addr
	close func()
	ended atomic.Bool // close has been called; it is called once
	// from is what a goroutine accepts on, until done is closed; nil when a loop accepts.
	from net.Listener
	done chan struct{}
}

// drainQuiet is how many milliseconds without a new connection show that a queue is empty; drainMost
// is how many milliseconds Shutdown spends at most on queues that do not become empty.
const (
	drainQuiet = 100
	drainMost  = 1000
)

// setDrainDeadline makes an Accept on l that is waiting, or the next one, end when no more connections come
// or when Shutdown has accepted for long enough. It reports false for listeners that have no
// deadline.
func (s *Server) setDrainDeadline(l net.Listener) bool {
	end := loop.DeadlineIn(min(drainQuiet, s.run.drainEnd.Load()-loop.Millis()))
	switch l := l.(type) {
	case *net.TCPListener:
		return l.SetDeadline(end) == nil
	case *net.UnixListener:
		return l.SetDeadline(end) == nil
	}
	return false
}

// Listen binds addr, starts serving it, and returns (seed: server.listen). network is "tcp",
// "tcp4", "tcp6" or "unix". Port 0 selects a free port, which Addr returns. An empty host stands
// for all addresses, of both families where the system has both. An address already in use is an
// error, although the loops share theirs.
func (s *Server) Listen(network, addr string) error {
	err := s.listen(network, addr)
	if err == nil {
		s.notifyListening()
	}
	return err
}

// notifyListening calls Events.Listening.
func (s *Server) notifyListening() {
	if s.On.Listening != nil {
		s.callUser("Events.Listening", s.On.Listening)
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
		return s.listenPortable(network, addr)
	}
	bind := func() error { return s.bind(at) }
	if at.Path != "" {
		err = bindUnix(at.Path, bind)
	} else {
		err = bind()
	}
	if err != nil {
		return &net.OpError{Op: "listen", Net: network, Addr: loop.NetAddr(at), Err: err}
	}
	return nil
}

// listenPortable is Listen where package net binds and accepts. The caller holds s.run.mu.
func (s *Server) listenPortable(network, addr string) (err error) {
	if network != "unix" {
		l, err := net.Listen(network, addr)
		if err == nil {
			err = s.background(l, nil)
		}
		return err
	}
	var l net.Listener
	err = bindUnix(addr, func() (err error) {
		l, err = s.listenUnix(addr)
		return err
	})
	if err != nil {
		return err
	}
	file := fileOf(addr)
	if err = s.background(l, file); err != nil {
		file.remove()
	}
	return err
}

// listenUnix is net.Listen for a unix socket whose file gets its mode before anybody can connect;
// where there is only package net, an instant later.
func (s *Server) listenUnix(path string) (net.Listener, error) {
	if loop.HavePoller {
		fds, _, err := sys.Listen(sys.Addr{Path: path}, sys.Listening{Backlog: s.backlog(), Sockets: 1, Mode: s.Sockets.Mode})
		if err != nil {
			return nil, &net.OpError{Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: err}
		}
		file := os.NewFile(uintptr(fds[0]), path)
		defer file.Close()
		l, err := net.FileListener(file)
		if err != nil {
			fileOf(path).remove()
		}
		return l, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if path[0] != '@' && s.Sockets.Mode != 0 {
		if err := os.Chmod(path, s.Sockets.Mode); err != nil {
			_ = l.Close()
			_ = os.Remove(path)
			return nil, err
		}
	}
	return l, nil
}

// Serve accepts connections on l until the server or l is closed, and serves them. Plain TCP and
// unix sockets go to the loops; any other connection is served by a goroutine of its own. Serve
// closes l before it returns. It returns nil if it ended because the server did.
func (s *Server) Serve(l net.Listener) error {
	addr := l.Addr() // user code: not under the lock
	s.run.mu.Lock()
	accept, err := s.open(l, addr, nil)
	s.run.mu.Unlock()
	if err != nil {
		_ = l.Close()
		return err
	}
	s.notifyListening()
	return accept()
}

// background serves l, which may have a file, on a goroutine of the server. The caller holds
// s.run.mu.
func (s *Server) background(l net.Listener, file *socketFile) error {
	accept, err := s.open(l, l.Addr(), file)
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

// open registers l and returns the function that accepts on it. The caller holds s.run.mu.
func (s *Server) open(l net.Listener, addr net.Addr, file *socketFile) (accept func() error, err error) {
	if err := s.start(); err != nil {
		return nil, err
	}
	entry := &listener{addr: addr, from: l, done: make(chan struct{})}
	entry.close = func() {
		if file != nil {
			file.remove()
		}
		aside(func() { s.callUser("Close of a listener", func() { _ = l.Close() }) })
	}
	s.run.listeners = append(s.run.listeners, entry)
	s.run.serving.Add(1)
	return func() error {
		defer s.run.serving.Done()
		defer close(entry.done)
		defer entry.end()
		err := s.acceptFrom(l, addr)
		if s.run.closing.Load() {
			return nil
		}
		return err
	}, nil
}

// acceptFrom accepts on l until it is closed. Plain sockets go to the least loaded loop; any other
// connection, and any in a group without a poller, gets a goroutine.
func (s *Server) acceptFrom(l net.Listener, addr net.Addr) error {
	var logging atomic.Bool // the log may be slow: accepting does not wait for it
	for {
		if s.run.closing.Load() {
			s.setDrainDeadline(l)
		}
		c, err := l.Accept()
		if err != nil {
			if s.run.closing.Load() {
				return nil
			}
			var passing interface{ Temporary() bool }
			if errors.As(err, &passing) && passing.Temporary() {
				if logging.CompareAndSwap(false, true) {
					go func() {
						s.logf("gale: accepting on %v: %v", addr, err)
						logging.Store(false)
					}()
				}
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
			aside(func() { s.callUser("Close of a connection", func() { _ = c.Close() }) })
		}
	}
}

// end closes the listener, unless that has been done or begun.
func (l *listener) end() {
	if !l.ended.Swap(true) {
		l.close()
	}
}

// closeListeners closes the listeners, concurrently and not under the lock: they may be user code.
// The channel is closed when all have been.
func (s *Server) closeListeners() <-chan struct{} {
	s.run.mu.Lock()
	all := slices.Clone(s.run.listeners)
	s.run.mu.Unlock()
	var closing sync.WaitGroup
	for _, l := range all {
		closing.Go(l.end)
	}
	closed := make(chan struct{})
	go func() {
		closing.Wait()
		close(closed)
	}()
	return closed
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
		if addr == "" {
			return sys.Addr{}, &net.AddrError{Err: "a unix socket needs a path"}
		}
		return sys.Addr{Path: addr}, nil
	case "tcp", "tcp4", "tcp6":
	default:
		return sys.Addr{}, net.UnknownNetworkError(network)
	}
	t, err := net.ResolveTCPAddr(network, addr)
	if err != nil {
		return sys.Addr{}, err
	}
	if at := t.AddrPort(); t.IP != nil {
		return sys.Addr{IP: at, Any6: network == "tcp" && at.Addr() == netip.IPv6Unspecified() && sys.MapsIPv4}, nil
	}
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	switch {
	case network == "tcp4" || network == "tcp" && !haveIPv6():
		return sys.Addr{IP: netip.AddrPortFrom(any4, uint16(t.Port))}, nil
	default:
		return sys.Addr{IP: netip.AddrPortFrom(any6, uint16(t.Port)), Any6: network == "tcp"}, nil
	}
}

// haveIPv6 reports whether the system has IPv6 at all.
func haveIPv6() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}
