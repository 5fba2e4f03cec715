// Package sys holds the raw system calls of the engine and the identity of
// the running goroutine. Nothing above it knows what a descriptor number means
// to the kernel, and nothing here knows what it is used for.
//
// The calls on the hot path (Recv, Send, SendThree, EpollWait, KqueueWait) are raw
// where the system allows it: they do not tell the scheduler that a system call is
// under way. They are therefore only ever made in a form that cannot block.
package sys

import "syscall"

// Errno is the kernel's error number; zero means that the call succeeded.
// The calls return it bare and not as an error, so that none is allocated and
// a comparison is one instruction.
type Errno = syscall.Errno

// Error numbers the callers tell apart.
const (
	EAGAIN       = syscall.EAGAIN
	EBADF        = syscall.EBADF
	EIO          = syscall.EIO
	EINTR        = syscall.EINTR
	EMFILE       = syscall.EMFILE
	ENFILE       = syscall.ENFILE
	ENOBUFS      = syscall.ENOBUFS
	ENOMEM       = syscall.ENOMEM
	ECONNABORTED = syscall.ECONNABORTED
	ECONNRESET   = syscall.ECONNRESET
	EINVAL       = syscall.EINVAL
	ENOSYS       = syscall.ENOSYS
	EOPNOTSUPP   = syscall.EOPNOTSUPP
	EEXIST       = syscall.EEXIST
	ENOENT       = syscall.ENOENT
)
