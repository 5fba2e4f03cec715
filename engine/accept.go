// Accepting on the loops: each loop has a listening socket of its own, all bound to one address
// (SO_REUSEPORT), so that the kernel spreads connections and accepting needs no goroutine. Where
// only one socket is possible (unix, an inherited one, or a system that does not spread
// connections), one loop or one goroutine accepts and distributes the descriptors.

package engine

import (
	"cmp"
	"net"
	"syscall"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

const (
	acceptBatch = 64  // most connections taken before the loop serves others
	acceptGrow  = 4   // full batches in a row before the batch is doubled
	acceptPause = 100 // milliseconds without accepting when descriptors or memory have run out
)

// acceptor is a listening socket on a loop.
type acceptor struct {
	loop.Listener
	server       *Server
	alone        bool // the address's only socket: every connection goes to the least loaded loop
	needsNoDelay bool // accepted sockets are TCP ones that still need TCP_NODELAY
	batch        int  // connections to accept per event: about as many as are likely to be queued
	full         int  // events in a row that filled the batch
	turn         int  // which loop's load is looked at next
}

// bind opens the listening sockets for an address. The caller holds s.run.mu.
func (s *Server) bind(at sys.Addr) error {
	loops := len(s.run.group.Loops())
	fds, at, err := sys.Listen(at, sys.Listening{
		Backlog: s.backlog(), Sockets: loops, Defer: s.Sockets.DeferAccept, Mode: s.Sockets.Mode,
	})
	if err != nil {
		return err
	}
	file := fileOf(at.Path)
	if err := s.openAcceptors(fds, len(fds) < loops, false); err != nil {
		file.remove()
		return err
	}
	s.run.listeners = append(s.run.listeners, &listener{addr: loop.NetAddr(at), close: file.remove})
	return nil
}

// openAcceptors gives each loop its listening socket, or the first loop the only one. If one cannot
// be opened, all are closed.
func (s *Server) openAcceptors(fds []int, alone, needsNoDelay bool) error {
	loops := s.run.group.Loops()[:len(fds)]
	all := make([]acceptor, len(loops))
	opened := make(chan error, len(loops))
	for i, l := range loops {
		a := &all[i]
		a.server, a.alone, a.needsNoDelay, a.batch = s, alone, needsNoDelay, 1
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

// Serve implements loop.Task: connections are queued. It need not empty the queue to learn that it
// is empty, because what is left there causes another event.
func (a *acceptor) Serve(w *loop.Worker, _ uint32) {
	here := w.Loop()
	for n := range a.batch {
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
		a.batch, a.full = max(1, n), 0
		break
	}
	if a.full++; a.full > acceptGrow {
		a.batch, a.full = min(2*a.batch, acceptBatch), 0
	}
	a.Rest(0, false)
}

// acceptQueued accepts all queued connections, until run.drainEnd at the latest, and closes the
// socket.
func (a *acceptor) acceptQueued() {
	for end := a.server.run.drainEnd.Load(); loop.Millis() < end; {
		fd, e := a.Accept()
		switch e {
		case 0:
			a.take(a.Loop(), fd)
		case sys.EINTR, sys.ECONNABORTED:
		default:
			end = 0
		}
	}
	a.Close()
}

func (a *acceptor) take(here *loop.Loop, fd int) {
	if a.needsNoDelay {
		sys.SetNoDelay(fd)
	}
	there := here
	if a.alone {
		there = a.server.leastLoaded()
	} else if other := a.other(here); crowded(here, other) {
		there = other
	}
	localOf(there).load.Add(1)
	if there != here {
		a.server.postSocket(there, fd)
		return
	}
	a.server.adopt(here, fd)
}

// other returns the next of the other loops in turn, or here if there are none.
func (a *acceptor) other(here *loop.Loop) *loop.Loop {
	loops := a.server.run.group.Loops()
	if a.turn++; loops[a.turn%len(loops)] == here {
		a.turn++
	}
	return loops[a.turn%len(loops)]
}

// crowded reports whether here has so many more connections than there that handing over a new one
// pays. The kernel spreads them at random, and clients leave as they like.
func crowded(here, there *loop.Loop) bool {
	mine, other := localOf(here).load.Load(), localOf(there).load.Load()
	return mine > other+other/8+16
}

// leastLoaded returns the loop with the fewest connections.
func (s *Server) leastLoaded() *loop.Loop {
	loops := s.run.group.Loops()
	least := loops[0]
	for _, l := range loops[1:] {
		if localOf(l).load.Load() < localOf(least).load.Load() {
			least = l
		}
	}
	return least
}

// Expire implements loop.Task: the pause is over.
func (a *acceptor) Expire() {
	a.Resume()
	a.Rest(0, false)
}

// Stop implements loop.Task.
func (a *acceptor) Stop() { a.Close() }

// HangUp implements loop.Task; a listener has no peer.
func (a *acceptor) HangUp() {}

// postSocket passes a connected socket to a loop, whose load already counts it.
func (s *Server) postSocket(l *loop.Loop, fd int) {
	if !l.Post(func(l *loop.Loop) { s.adopt(l, fd) }) {
		sys.Close(fd)
	}
}

// takeSocket passes the socket of a connection that package net has accepted to a loop, and reports
// whether it did. It must be a plain socket that nobody has wrapped. (The goroutine cannot accept
// by itself: a listener's SyscallConn cannot wait, or package net would not be needed.)
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
	_ = c.Close() // closes package net's descriptor; the socket stays open through ours
	l := s.leastLoaded()
	localOf(l).load.Add(1)
	s.postSocket(l, own)
	return true
}

// pause waits a moment for descriptors or memory to be released.
func pause() { sys.Sleep(acceptPause * 1e6) }
