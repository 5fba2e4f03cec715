// How long a socket has been quiet, on Linux.

package sys

import "golang.org/x/sys/unix"

// Quiet returns for how many milliseconds the socket has neither sent nor received data; known is
// false for a socket that cannot tell. It allocates.
func Quiet(fd int) (ms int64, known bool) {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, false
	}
	return int64(min(info.Last_data_sent, info.Last_data_recv)), true
}
