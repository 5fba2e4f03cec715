// What the kernel knows about the peer, on Linux.

package sys

import "golang.org/x/sys/unix"

// PeerClosed reports whether the peer has closed its side, or the connection has failed.
func PeerClosed(fd int) bool {
	set := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(set[:], 0)
	return err == nil && n > 0
}
