//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// Ends of a connection that its peer can tell from orderly ones, on macOS and BSD.

package sys

import "golang.org/x/sys/unix"

// ResetOnClose has the closing of a TCP socket be a reset: what has not been sent is
// dropped, and the peer can tell it from an end.
func ResetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// Reset ends the reading from a TCP socket, and has its closing be a reset: at once the
// peer cannot be told here. Unlike Close, it is safe for anyone who knows that the
// descriptor is still open.
func Reset(fd int) {
	ResetOnClose(fd)
	Shutdown(fd, 0)
}
