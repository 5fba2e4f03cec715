//go:build amd64 || arm64

// Sockets on macOS: their flags are set one by one, and SIGPIPE is turned off for the socket, not
// for a call.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	keepIdle    = unix.TCP_KEEPALIVE // TCP probes: the time before the first
	keepEvery   = unix.TCP_KEEPINTVL
	shareOption = 0     // shared sockets do not share the connections out: one socket for all
	mayProbe    = false // not needed, as nothing is shared
	mapsIPv4    = true  // one socket can serve both families
)

// noSignal is a flag of send(2) that macOS does not have: see quiet.
const noSignal = 0

// newSocket returns a non-blocking, close-on-exec stream socket.
func newSocket(family int) (int, error) {
	syscall.ForkLock.RLock() // no child may be forked before the socket is marked
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, err
	}
	return fd, prepare(fd)
}

// Accept takes a queued connection off the listening socket, which must not block.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	syscall.ForkLock.RLock()
	nfd, _, err := unix.Accept(fd)
	if err == nil {
		unix.CloseOnExec(nfd)
	}
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = prepare(nfd)
	}
	if err != nil {
		return -1, errno(err)
	}
	return nfd, 0
}

// prepare makes a new socket non-blocking and quiet, or closes it.
func prepare(fd int) error {
	quiet(fd)
	err := unix.SetNonblock(fd, true)
	if err != nil {
		Close(fd)
	}
	return err
}

// quiet keeps SIGPIPE away, which the calls that write cannot do here. It fails when the peer is
// gone already, and then so does writing.
func quiet(fd int) { _ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_NOSIGPIPE, 1) }
