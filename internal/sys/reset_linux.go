// Ends of a connection that its peer can tell from orderly ones, on Linux.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ResetOnClose has the closing of a TCP socket be a reset: what has not been sent is
// dropped, and the peer can tell it from an end.
func ResetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

// Reset resets a TCP connection at once, and shuts down any other. Unlike Close, it is safe
// for anyone who knows that the descriptor is still open.
func Reset(fd int) {
	nowhere := unix.RawSockaddr{Family: unix.AF_UNSPEC} // to be connected with that is not to be connected
	// SAFETY: the kernel reads as many bytes as the struct has, which stays reachable until
	// the call returns.
	_, _, e := syscall.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&nowhere)), unsafe.Sizeof(nowhere))
	if e != 0 {
		Shutdown(fd, 2)
	}
}
