//go:build (amd64 || arm64) && (dragonfly || freebsd || netbsd || openbsd)

// Systems whose socket(2) takes flags.

package sys

import "golang.org/x/sys/unix"

// newSocket returns a non-blocking, close-on-exec stream socket.
func newSocket(family int) (int, error) {
	return unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

// quiet has nothing to do: the calls that write keep SIGPIPE away themselves, if need be.
func quiet(int) {}
