//go:build (amd64 || arm64) && (darwin || openbsd)

// The hot path where only the C library may make system calls: through package unix, which knows
// its functions. They tell the scheduler that a system call is under way. None of them can block,
// so that costs the two notices and nothing else: some 30 ns a call (getpid on Linux,
// syscall.Syscall against RawSyscall, with Go 1.26). They do not allocate.

package sys

import "golang.org/x/sys/unix"

// KqueueWait returns how many of set's events it put into events. It never waits.
func KqueueWait(set int, events []Kevent) (int, Errno) {
	var now unix.Timespec
	return kevent(set, nil, events, &now)
}

// Recv reads what the socket has, without waiting; 0 and no error is the end of
// the stream. p must not be empty.
func Recv(fd int, p []byte) (int, Errno) {
	n, _, err := unix.Recvfrom(fd, p, unix.MSG_DONTWAIT)
	return n, errno(err)
}

// Send hands over as much of p as the socket takes, without waiting and without
// SIGPIPE.
func Send(fd int, p []byte) (int, Errno) {
	n, err := unix.SendmsgN(fd, p, nil, nil, unix.MSG_DONTWAIT|noSignal)
	return n, errno(err)
}

// SendMore is Send: these systems have no such hint.
func SendMore(fd int, p []byte) (int, Errno) { return Send(fd, p) }

// SendThree hands over a, b, then c, as one segment where they fit, without
// waiting. It returns how many bytes of all were taken. The socket must be
// non-blocking. On OpenBSD a peer that is gone raises SIGPIPE, which the runtime
// drops unless the program asked to be notified of it, as for package net.
func SendThree(fd int, a, b, c []byte) (int, Errno) {
	n, err := unix.Writev(fd, [][]byte{a, b, c})
	return n, errno(err)
}

// Close closes the descriptor. The caller must be its owner.
func Close(fd int) Errno { return errno(unix.Close(fd)) }

// Shutdown ends reading (0), writing (1) or both (2) on a socket. Unlike Close,
// it is safe for anyone who knows that the descriptor is still open.
func Shutdown(fd, how int) Errno { return errno(unix.Shutdown(fd, how)) }
