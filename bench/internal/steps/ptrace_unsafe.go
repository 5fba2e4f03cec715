//go:build linux && amd64

// The ptrace requests that package syscall does not offer, and the calls of the stepping
// loop that cannot block, made without the runtime's bookkeeping.

package steps

import (
	"encoding/binary"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// trap is the part of siginfo_t that a stop by SIGTRAP fills in on amd64.
type trap struct {
	signal int32
	errno  int32
	code   int32
	_      int32
	addr   uint64 // where the thread will go on
	_      [104]byte
}

// Codes of a SIGTRAP.
const (
	trapSyscall = 1 // TRAP_BRKPT: a step over a system call
	trapStep    = 2 // TRAP_TRACE: a step over any other instruction
	trapHandler = 5 // a signal's handler is about to run; no instruction
)

func ptrace(request, tid int, addr, data uintptr) syscall.Errno {
	_, _, e := syscall.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	return e
}

func step(tid int, signal syscall.Signal) syscall.Errno {
	return ptrace(unix.PTRACE_SINGLESTEP, tid, 0, uintptr(signal))
}

func stopInfo(tid int, t *trap) syscall.Errno {
	// SAFETY: trap is as large as siginfo_t, 128 bytes, and stays reachable
	// until the call returns.
	return ptrace(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(t)))
}

// peek reads eight bytes of a stopped thread's memory.
func peek(tid int, addr uint64) (word [8]byte, e syscall.Errno) {
	// SAFETY: the raw request stores one word at the address given as data,
	// which is eight bytes of ours.
	e = ptrace(unix.PTRACE_PEEKTEXT, tid, uintptr(addr), uintptr(unsafe.Pointer(&word)))
	return word, e
}

// sleepOf returns the duration, in nanoseconds, of the timed sleep from which a stopped
// thread is just returning; 0 if it has made another system call, or none.
func sleepOf(tid int) int64 {
	const origRax, rdi, rdx = 15, 14, 12 // words of struct user_regs_struct
	request := rdi
	switch userWord(tid, origRax) {
	case unix.SYS_NANOSLEEP:
	case unix.SYS_CLOCK_NANOSLEEP:
		request = rdx
	default:
		return 0
	}
	at := uint64(userWord(tid, request))
	seconds, e1 := peek(tid, at)
	nanos, e2 := peek(tid, at+8)
	if e1 != 0 || e2 != 0 {
		return 0
	}
	return int64(binary.NativeEndian.Uint64(seconds[:]))*1e9 + int64(binary.NativeEndian.Uint64(nanos[:]))
}

// userWord returns a register of a stopped thread, by its index in struct
// user_regs_struct; -1 if it cannot be read.
func userWord(tid, index int) int64 {
	var word int64
	// SAFETY: the raw request stores one word at the address given as data,
	// which is eight bytes of ours.
	if ptrace(unix.PTRACE_PEEKUSR, tid, uintptr(index*8), uintptr(unsafe.Pointer(&word))) != 0 {
		return -1
	}
	return word
}
