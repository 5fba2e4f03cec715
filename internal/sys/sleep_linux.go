// Sleeping without a place in the scheduler. A goroutine in a system call keeps its P until sysmon
// takes it away, which sysmon does when it finds the goroutine in the same call twice, looking
// every 20 µs to 10 ms: a goroutine that makes one call of half a millisecond after the other keeps
// its P, and nobody else runs there. So the P is given away first, as the runtime does where it
// knows that a call is going to block. The runtime keeps the names of its functions for that
// because others need them too (go.dev/issue/67401).
//
// Between the two calls nothing may be called that could grow the stack, allocate, or call the race
// detector.

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

// Sleep makes the calling thread, and not only the goroutine, wait for ns nanoseconds; the
// scheduler takes no part in waking it.
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
