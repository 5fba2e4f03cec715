// Sockets on Linux.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	shareOption = unix.SO_REUSEPORT
	mayProbe    = true              // a bound socket that does not listen is in no other's way
	mapsIPv4    = true              // one socket can serve both families
	keepIdle    = unix.TCP_KEEPIDLE // TCP probes: the time before the first
	keepEvery   = unix.TCP_KEEPINTVL
)

// newSocket returns a non-blocking, close-on-exec stream socket.
func newSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// Accept takes a queued connection off the listening socket, without waiting.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	nfd, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0,
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(nfd), e
}

// deferSeconds is how long a connection that brings nothing is held back.
const deferSeconds = 10

// deferAccept makes the listening socket report only connections that have brought something.
func deferAccept(fd int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferSeconds)
}

// quiet has nothing to do: the calls that write keep SIGPIPE away themselves.
func quiet(int) {}
