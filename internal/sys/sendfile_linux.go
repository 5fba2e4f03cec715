// Files on Linux: how long they are, and from their pages to a socket.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SendFile hands bytes of the file from offset on, at most n, to the socket, which
// must not block. It does not move the file's own position. A file that has ended
// gives 0 and no error. The disk may be waited for: to the scheduler it is a system
// call, and the P goes on without the thread.
func SendFile(fd int, file uintptr, offset int64, n int) (int, Errno) {
	// SAFETY: the kernel reads and writes the eight bytes of offset, which stays
	// reachable until the call returns.
	sent, _, e := syscall.Syscall6(unix.SYS_SENDFILE, uintptr(fd), file,
		uintptr(unsafe.Pointer(&offset)), uintptr(n), 0, 0)
	return int(sent), e
}

// FileSize returns the size of a file, and whether it is a regular one: others have
// none that could be relied upon.
func FileSize(file uintptr) (size int64, regular bool) {
	var st unix.Stat_t
	if unix.Fstat(int(file), &st) != nil {
		return 0, false
	}
	return st.Size, st.Mode&unix.S_IFMT == unix.S_IFREG
}
