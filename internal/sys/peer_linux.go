// What the kernel knows of the peer, and of the end of a connection, on Linux.

package sys

import "golang.org/x/sys/unix"

// PeerClosed tells whether the peer has closed its side, or the connection has failed.
func PeerClosed(fd int) bool {
	set := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(set[:], 0)
	return err == nil && n > 0
}

// ResetOnClose has the closing of a TCP socket be a reset: what has not been sent is
// dropped, and the peer can tell it from an end.
func ResetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}
