//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// A close that the peer can tell from an orderly one.

package sys

import "golang.org/x/sys/unix"

// ResetOnClose makes the close of a TCP socket a reset: what has not been sent is dropped, and the
// peer can tell it from an orderly end.
func ResetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}
