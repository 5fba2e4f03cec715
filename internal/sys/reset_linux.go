// Ending a connection so that its peer can tell it from an orderly end, on Linux.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reset resets a TCP connection at once, and shuts down any other. Unlike Close, it is safe
// for anyone who knows that the descriptor is still open.
func Reset(fd int) {
	nowhere := unix.RawSockaddr{Family: unix.AF_UNSPEC} // to connect to this is to disconnect
	// SAFETY: the kernel reads as many bytes as the struct has, which stays reachable until
	// the call returns.
	_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), unsafe.Sizeof(nowhere))
	if e != 0 {
		Shutdown(fd, 2)
	}
}
