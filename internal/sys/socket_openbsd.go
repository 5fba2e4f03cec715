//go:build amd64 || arm64

// Sockets on OpenBSD.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	keepIdle    = 0     // TCP probes: the time before the first
	keepEvery   = 0     // no socket can set them for itself
	shareOption = 0     // shared sockets do not share the connections out: one socket for all
	mayProbe    = false // not needed, as nothing is shared
	mapsIPv4    = false // a socket serves one family: the unspecified address is that of IPv4, as in package net
)

// noSignal keeps a call that writes from raising SIGPIPE.
const noSignal = unix.MSG_NOSIGNAL

// Accept takes a queued connection off the listening socket, which must not block.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	nfd, _, err := syscall.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	return nfd, errno(err)
}
