//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Sockets and tasks for the tests that need a poller.

package loop

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/sys"
)

// init makes the runtime open its own poller, before anyone counts descriptors.
func init() {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	_, _ = r.Close(), w.Close()
}

// task is a Task made of functions; a nil one does the obvious.
type task struct {
	Stream
	serve                func(*Worker)
	expire, stop, hangUp func()
}

func (k *task) Serve(w *Worker, bits uint32) {
	k.NoteEvents(bits)
	k.serve(w)
}

func (k *task) Expire() {
	if k.expire != nil {
		k.expire()
		return
	}
	k.Close()
}

func (k *task) Stop() {
	if k.stop != nil {
		k.stop()
		return
	}
	k.Close()
}

func (k *task) HangUp() {
	if k.hangUp != nil {
		k.hangUp()
	}
}

// takeAway takes the loop from the handler that runs under its lease, which may be the
// caller, as the watchdog does.
func takeAway(t *testing.T, l *Loop) {
	t.Helper()
	if !l.takeOver(l.lease.word.Load(), stallNanos) {
		t.Error("the loop was taken from nobody")
	}
}

// giveBack is Return, or what must be done when there is no loop any more.
func (s *Stream) giveBack(then func(Task)) {
	if !s.Return(then) {
		s.Abandon()
	}
}

// socketpair returns two connected, non-blocking sockets.
func socketpair(t *testing.T) [2]int {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		syscall.CloseOnExec(fd)
		if err := sys.SetNonblock(fd); err != nil {
			t.Fatal(err)
		}
	}
	return fds
}

// pair returns two connected sockets: a bare one for a loop, and one for the
// test, which is closed with it.
func pair(t *testing.T) (int, *net.UnixConn) {
	t.Helper()
	fds := socketpair(t)
	file := os.NewFile(uintptr(fds[1]), "peer")
	defer file.Close()
	peer, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return fds[0], peer.(*net.UnixConn)
}

// open gives k, at rest, to the loop and returns its peer.
func open(t *testing.T, l *Loop, k *task) *net.UnixConn {
	t.Helper()
	fd, peer := pair(t)
	err := onLoop(t, l, func(l *Loop) error {
		if err := k.Open(l, fd, k); err != nil {
			return err
		}
		k.Rest(0, false)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

// acceptor is a listening task that hands out what it accepts, one connection
// each time it is served.
type acceptor struct {
	Listener
	accepted chan int
}

func (k *acceptor) Serve(*Worker, uint32) {
	if fd, e := k.Accept(); e == 0 {
		k.accepted <- fd
	}
	k.Rest(0, false)
}

func (k *acceptor) Expire() {}

func (k *acceptor) Stop() { k.Close() }

func (k *acceptor) HangUp() {}

// listen makes k listen on a loopback port and returns its address.
func (k *acceptor) listen(t *testing.T, l *Loop) string {
	t.Helper()
	fds, at, err := sys.Listen(loopback, sys.Listening{Backlog: 16, Sockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = onLoop(t, l, func(l *Loop) error {
		if err := k.Open(l, fds[0], k); err != nil {
			return err
		}
		k.Rest(0, false)
		return nil
	})
	if err != nil {
		sys.Close(fds[0])
		t.Fatal(err)
	}
	return at.IP.String()
}

// serveEcho sends back what there is and puts k to rest.
func serveEcho(k *task) {
	var b [4096]byte
	for {
		n, err := k.TryRead(b[:])
		if n > 0 {
			_, err = k.Write(b[:n])
		}
		switch {
		case err != nil:
			k.Close()
			return
		case n == 0:
			k.Rest(0, false)
			return
		}
	}
}
