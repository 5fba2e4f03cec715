//go:build (amd64 && dragonfly) || ((amd64 || arm64) && freebsd)

// accept4 as a raw system call.

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Accept takes a queued connection off the listening socket, which must not block.
// The new socket is non-blocking and close-on-exec.
func Accept(fd int) (int, Errno) {
	nfd, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), 0, 0,
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int(nfd), e
}
