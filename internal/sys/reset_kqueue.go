//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// Ending a connection so that its peer can tell it from an orderly end, on macOS and BSD.

package sys

// Reset ends the reading from a TCP socket, and makes its close a reset: here the peer cannot be
// told at once. Unlike Close, it is safe for anyone who knows that the descriptor is still open.
func Reset(fd int) {
	ResetOnClose(fd)
	Shutdown(fd, 0)
}
