// Listening on the loops: a socket of its own for each loop, all bound to one address
// (SO_REUSEPORT), so that the kernel spreads connections and accepting takes no
// goroutine. Where there can be one socket only (unix, or one we were given), it is
// one loop's, or one goroutine's, that hands the descriptors round.

package engine

import (
	"cmp"
	"net"
	"os"
	"syscall"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

const (
	acceptBatch = 64  // connections taken before the loop looks at others
	acceptPause = 100 // milliseconds without accepting when descriptors or memory have run out
)

// acceptor is a listening socket on a loop.
type acceptor struct {
	loop.Listener
	server *Server
	spread bool // it is the only one: connections go to the loops in turn
	tcp    bool
}

// bind opens the listening sockets for an address. The lock is held.
func (s *Server) bind(network string, at sys.Addr) error {
	loops := s.run.group.Loops()
	fds := make([]int, 0, len(loops))
	fail := func(err error) error {
		for _, fd := range fds {
			sys.Close(fd)
		}
		return err
	}
	tcp := network != "unix"
	if tcp {
		probe, got, err := sys.Probe(at)
		if err != nil {
			return err
		}
		defer sys.Close(probe)
		at = got
	} else {
		loops = loops[:1]
	}
	for range loops {
		fd, err := sys.Listen(at, s.backlog())
		if err != nil {
			return fail(err)
		}
		fds = append(fds, fd)
	}
	if err := s.openAcceptors(loops, fds, tcp); err != nil {
		return err
	}
	entry := &listener{addr: loop.NetAddr(at)}
	entry.close = func() {
		if !tcp {
			_ = os.Remove(at.Path)
		}
	}
	s.run.listeners = append(s.run.listeners, entry)
	return nil
}

// openAcceptors gives each loop its listening socket: all of them, or none is left
// open.
func (s *Server) openAcceptors(loops []*loop.Loop, fds []int, tcp bool) error {
	all := make([]acceptor, len(loops))
	opened := make(chan error, len(loops))
	for i, l := range loops {
		a := &all[i]
		a.server, a.spread, a.tcp = s, !tcp, tcp
		posted := l.Post(func(l *loop.Loop) {
			err := a.Open(l, fds[i], a)
			if err != nil {
				sys.Close(fds[i])
			}
			opened <- err
		})
		if !posted {
			sys.Close(fds[i])
			opened <- ErrServerClosed
		}
	}
	var failed error
	for range loops {
		failed = cmp.Or(failed, <-opened)
	}
	if failed != nil {
		for i, l := range loops {
			l.Post(func(*loop.Loop) { all[i].Close() })
		}
	}
	return failed
}

// Serve implements loop.Task: connections are queued.
func (a *acceptor) Serve(w *loop.Worker, _ uint32) {
	here := w.Loop()
	for range acceptBatch {
		fd, e := a.Accept()
		switch e {
		case 0:
			a.take(here, fd)
			continue
		case sys.EINTR, sys.ECONNABORTED:
			continue
		case sys.EMFILE, sys.ENFILE, sys.ENOBUFS, sys.ENOMEM:
			a.Pause()
			a.Rest(here.Tick()+acceptPause, false)
			return
		}
		break
	}
	a.Rest(0, false)
}

// acceptLast takes all connections that are queued, and closes the socket.
func (a *acceptor) acceptLast() {
	for {
		fd, e := a.Accept()
		switch e {
		case 0:
			a.take(a.Loop(), fd)
		case sys.EINTR, sys.ECONNABORTED:
		default:
			a.Close()
			return
		}
	}
}

func (a *acceptor) take(here *loop.Loop, fd int) {
	if a.tcp {
		sys.SetNoDelay(fd)
	}
	if a.spread {
		if there := a.server.run.group.Next(); there != here {
			a.server.hand(there, fd)
			return
		}
	}
	if a.server.adopt(here, fd) != nil {
		sys.Close(fd)
	}
}

// Expire implements loop.Task: accepting may be possible again.
func (a *acceptor) Expire() {
	a.Resume()
	a.Rest(0, false)
}

// Stop implements loop.Task.
func (a *acceptor) Stop() { a.Close() }

// HangUp implements loop.Task; a listener has no peer.
func (a *acceptor) HangUp() {}

// hand gives a connected socket to a loop.
func (s *Server) hand(l *loop.Loop, fd int) {
	posted := l.Post(func(l *loop.Loop) {
		if s.adopt(l, fd) != nil {
			sys.Close(fd)
		}
	})
	if !posted {
		sys.Close(fd)
	}
}

// openStream opens the stream of a connection.
func openStream(c *conn, l *loop.Loop, fd int) error { return c.Open(l, fd, c) }

// takeSocket gives a loop the socket of a connection that package net has accepted,
// and reports whether it did: it must be a plain one, that nobody has wrapped. (A
// listener's SyscallConn cannot wait, or there would be no need for package net.)
func (s *Server) takeSocket(c net.Conn) bool {
	var plain syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		plain = c
	case *net.UnixConn:
		plain = c
	default:
		return false
	}
	raw, err := plain.SyscallConn()
	if err != nil || c.LocalAddr().Network() == "unixpacket" {
		return false
	}
	own := -1
	if raw.Control(func(fd uintptr) { own, err = sys.Dup(int(fd)) }) != nil || err != nil {
		return false
	}
	_ = c.Close() // package net's descriptor; the socket stays open with ours
	s.hand(s.run.group.Next(), own)
	return true
}

// pause waits a moment for descriptors or memory to be released.
func pause() { sys.Sleep(acceptPause * 1e6) }
