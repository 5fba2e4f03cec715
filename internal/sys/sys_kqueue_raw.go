//go:build (amd64 || arm64) && (dragonfly || freebsd || netbsd)

// The hot path where a program may make system calls itself: raw, as on Linux.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// KqueueWait returns how many of set's events it put into events. It never waits.
func KqueueWait(set int, events []Kevent) (int, Errno) {
	var now unix.Timespec
	// SAFETY: the kernel writes at most len(events) structs of this layout, and
	// events and now stay reachable until the call returns.
	n, _, e := syscall.RawSyscall6(unix.SYS_KEVENT, uintptr(set), 0, 0,
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(unsafe.Pointer(&now)))
	return int(n), e
}

// Recv reads what the socket has, without waiting; 0 and no error is the end of
// the stream. p must not be empty.
func Recv(fd int, p []byte) (int, Errno) {
	// SAFETY: the kernel writes at most len(p) bytes, and p stays reachable until
	// the call returns.
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}

// Send hands over as much of p as the socket takes, without waiting and without
// SIGPIPE.
func Send(fd int, p []byte) (int, Errno) {
	// SAFETY: the kernel reads at most len(p) bytes, and p stays reachable until
	// the call returns.
	n, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), e
}

// SendMore is Send: these systems have no such hint.
func SendMore(fd int, p []byte) (int, Errno) { return Send(fd, p) }

// SendThree hands over a, b, then c, as one segment where they fit, without
// waiting and without SIGPIPE. It returns how many bytes of all were taken.
func SendThree(fd int, a, b, c []byte) (int, Errno) {
	iov := [3]unix.Iovec{{Base: unsafe.SliceData(a)}, {Base: unsafe.SliceData(b)}, {Base: unsafe.SliceData(c)}}
	iov[0].SetLen(len(a))
	iov[1].SetLen(len(b))
	iov[2].SetLen(len(c))
	msg := unix.Msghdr{Iov: &iov[0]}
	msg.SetIovlen(len(iov))
	// SAFETY: msg, iov and the slices stay reachable until the call returns; the
	// kernel only reads them.
	n, _, e := syscall.RawSyscall(unix.SYS_SENDMSG, uintptr(fd),
		uintptr(unsafe.Pointer(&msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	return int(n), e
}

// Close closes the descriptor. The caller must be its owner.
func Close(fd int) Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
	return e
}

// Shutdown ends reading (0), writing (1) or both (2) on a socket. Unlike Close,
// it is safe for anyone who knows that the descriptor is still open.
func Shutdown(fd, how int) Errno {
	_, _, e := syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(fd), uintptr(how), 0)
	return e
}
