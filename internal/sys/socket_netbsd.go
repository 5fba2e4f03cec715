//go:build amd64 || arm64

// Sockets on NetBSD.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	keepIdle    = unix.TCP_KEEPIDLE // TCP probes: the time before the first
	keepEvery   = unix.TCP_KEEPINTVL
	shareOption = 0     // shared sockets do not share the connections out: one socket for all
	mayProbe    = false // not needed, as nothing is shared
	mapsIPv4    = true  // one socket can serve both families
)

// Accept takes a queued connection off the listening socket, which must not block.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	nfd, _, e := syscall.RawSyscall6(unix.SYS_PACCEPT, uintptr(fd), 0, 0, 0,
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return int(nfd), e
}
