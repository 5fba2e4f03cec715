// Sleeping without a place in the scheduler. A goroutine in a system call keeps its P until
// sysmon takes it away, and that wants to find it in the same call twice, at looks 20 µs to
// 10 ms apart: whoever makes a call of half a millisecond after the other keeps it, and
// nobody else runs there. So the P is given away first, as the runtime does where it knows
// that a call is going to block. Its functions for that are kept in their places for others
// who need them (go.dev/issue/67401).
//
// Between the two, nothing may be called that could grow the stack, allocate, or have the
// race detector called.

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// Sleep lets the calling thread, and not only the goroutine, wait for ns nanoseconds; the
// scheduler has no part in the waking.
//
//go:nosplit
//go:norace
func Sleep(ns int64) {
	ts := unix.NsecToTimespec(ns)
	entersyscallblock()
	// SAFETY: the kernel reads the struct before it returns, and the stack stays where it is.
	syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	exitsyscall()
}
