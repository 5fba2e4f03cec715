//go:build amd64 || arm64

// Where sockets on OpenBSD differ.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	keepIdle    = 0     // TCP probes: the time before the first
	keepEvery   = 0     // there is none for one socket
	shareOption = 0     // shared sockets get no share of the connections: one for all
	mayProbe    = false // nor is there a need
	mapsIPv4    = false // a socket serves one family: all addresses are those of IPv4, as in package net
)

// noSignal keeps a call that writes from raising SIGPIPE.
const noSignal = unix.MSG_NOSIGNAL

// Accept takes a queued connection off the listening socket, which must not block.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	nfd, _, err := syscall.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	return nfd, errno(err)
}
