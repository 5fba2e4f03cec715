// Files on Linux: their size, and sending them to a socket without a copy.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SendFile hands at most n bytes of the file, from offset on, to the socket, which must not block.
// It does not move the file's own position. At the end of the file it returns 0 and no error. It
// may wait for the disk: the scheduler is told of a system call, and the P goes on without the
// thread.
func SendFile(fd int, file uintptr, offset int64, n int) (int, Errno) {
	// SAFETY: the kernel reads and writes the eight bytes of offset, which stays
	// reachable until the call returns.
	sent, _, e := syscall.Syscall6(unix.SYS_SENDFILE, uintptr(fd), file,
		uintptr(unsafe.Pointer(&offset)), uintptr(n), 0, 0)
	return int(sent), e
}

// FileSize returns the size of a file, and whether it is a regular one: others have no size that
// could be relied upon.
func FileSize(file uintptr) (size int64, regular bool) {
	var st unix.Stat_t
	if unix.Fstat(int(file), &st) != nil {
		return 0, false
	}
	return st.Size, st.Mode&unix.S_IFMT == unix.S_IFREG
}
