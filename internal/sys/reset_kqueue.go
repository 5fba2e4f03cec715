//go:build (amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd)

// Ends of a connection that its peer can tell from orderly ones, on macOS and BSD.

package sys

// Reset ends the reading from a TCP socket, and has its closing be a reset: at once the
// peer cannot be told here. Unlike Close, it is safe for anyone who knows that the
// descriptor is still open.
func Reset(fd int) {
	ResetOnClose(fd)
	Shutdown(fd, 0)
}
