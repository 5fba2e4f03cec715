// Raw system calls of the loop on Linux: polling, reading, writing.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Readiness bits of an EpollEvent.
const (
	In       = unix.EPOLLIN
	Out      = unix.EPOLLOUT
	PeerGone = unix.EPOLLRDHUP // the peer will send no more
	Hup      = unix.EPOLLHUP
	Err      = unix.EPOLLERR
	Edge     = unix.EPOLLET
	OneShot  = unix.EPOLLONESHOT
)

// EpollCreate returns a new close-on-exec epoll set.
func EpollCreate() (int, error) { return unix.EpollCreate1(unix.EPOLL_CLOEXEC) }

// EpollAdd registers fd with set for events; token comes back in each event,
// low half in Lo.
func EpollAdd(set, fd int, events uint32, token uint64) Errno {
	return epollCtl(set, unix.EPOLL_CTL_ADD, fd, events, token)
}

// EpollMod changes what fd is registered for; a condition that already holds is
// reported again.
func EpollMod(set, fd int, events uint32, token uint64) Errno {
	return epollCtl(set, unix.EPOLL_CTL_MOD, fd, events, token)
}

// EpollDel takes fd out of set.
func EpollDel(set, fd int) Errno { return epollCtl(set, unix.EPOLL_CTL_DEL, fd, 0, 0) }

// EpollWait returns how many of set's ready descriptors it put into events. It never waits.
func EpollWait(set int, events []EpollEvent) (int, Errno) {
	// SAFETY: the kernel writes at most len(events) structs of this layout, and
	// events stays reachable until the call returns.
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(set),
		uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	return int(n), e
}

// Recv reads what the socket has, without waiting; 0 and no error is the end of
// the stream. p must not be empty. Recv is just short enough to be inlined, as Send is.
func Recv(fd int, p []byte) (n int, e Errno) {
	// SAFETY: the kernel writes at most len(p) bytes, and p stays reachable until
	// the call returns.
	r, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return int(r), e
}

// Send hands over as much of p as the socket takes, without waiting and without
// SIGPIPE.
func Send(fd int, p []byte) (n int, e Errno) {
	// SAFETY: the kernel reads at most len(p) bytes, and p stays reachable until
	// the call returns.
	r, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(r), e
}

// SendMore is Send that tells the kernel that the rest follows at once.
func SendMore(fd int, p []byte) (n int, e Errno) {
	// SAFETY: as in Send.
	r, _, e := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL|unix.MSG_MORE, 0, 0)
	return int(r), e
}

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

// Eventfd returns a new non-blocking, close-on-exec event counter.
func Eventfd() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK) }

// EventfdAdd makes the counter readable.
func EventfdAdd(fd int) Errno {
	one := uint64(1)
	// SAFETY: eight bytes are offered and eight bytes are there.
	_, _, e := syscall.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), 8)
	return e
}

// EventfdClear resets the counter.
func EventfdClear(fd int) {
	var n uint64
	// SAFETY: eight bytes are offered and eight bytes are there.
	_, _, _ = syscall.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&n)), 8)
}

func epollCtl(set, op, fd int, events uint32, token uint64) Errno {
	ev := EpollEvent{Events: events, Lo: uint32(token), Hi: uint32(token >> 32)}
	// SAFETY: the kernel reads one struct of this layout before it returns.
	_, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(set), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(&ev)), 0, 0)
	return e
}
