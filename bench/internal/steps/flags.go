//go:build linux && amd64

// Flags that a program pushes and pops while it is stepped. The trap flag, which makes the
// step, would be among those pushed, and must not be: a preempted goroutine keeps its flags
// on its stack, and if it popped them when it is no longer traced, the program would be
// killed. And after a step over popf the kernel takes the trap flag for the program's own,
// and leaves it set for ever; popf is therefore emulated here.

package steps

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// Words of struct user_regs_struct.
const (
	wordRip   = 16
	wordFlags = 18
	wordRsp   = 19
)

const trapFlag = 1 << 8

// stacking is what an instruction does with the flags and the stack.
type stacking struct {
	pushes, pops bool
	size         uint64 // of the instruction
}

// stackingOf decodes the instruction at the start of code.
func stackingOf(code []byte) stacking {
	for i, c := range code {
		if !prefix(c) {
			half := i > 0 && code[0] == 0x66 // pops two bytes only: not used in practice
			return stacking{pushes: c == 0x9c, pops: c == 0x9d && !half, size: uint64(i) + 1}
		}
	}
	return stacking{}
}

// stackingAt decodes the instruction at address at of t, once for each address.
func (c *Counter) stackingAt(t *thread, at uint64) stacking {
	s, known := c.stackings[at]
	if !known {
		code, e := peek(t.tid, at)
		if e != 0 {
			return stacking{} // it was killed, or unmapped what it has executed
		}
		s = stackingOf(code[:])
		c.stackings[at] = s
	}
	return s
}

// hideStep clears the trap flag in what t has pushed, if its step from t.next pushed flags.
func (c *Counter) hideStep(t *thread) {
	if !c.stackingAt(t, t.next).pushes {
		return
	}
	at := uint64(userWord(t.tid, wordRsp))
	if word, e := peek(t.tid, at); e == 0 {
		poke(t.tid, uintptr(at), binary.NativeEndian.Uint64(word[:])&^trapFlag)
	}
}

// popFlags emulates and counts t's next instructions, as long as they pop the flags.
func (c *Counter) popFlags(t *thread) {
	for c.stackingAt(t, t.next).pops {
		var regs syscall.PtraceRegs
		if syscall.PtraceGetRegs(t.tid, &regs) != nil || regs.Rip != t.next || restarts(&regs) {
			return
		}
		word, e := peek(t.tid, regs.Rsp)
		if e != 0 {
			return // the program's own access will fail likewise
		}
		regs.Eflags = binary.NativeEndian.Uint64(word[:]) &^ trapFlag // the kernel keeps the flags that the program may not change
		regs.Rsp += 8
		regs.Rip += c.stackings[t.next].size
		if syscall.PtraceSetRegs(t.tid, &regs) != nil {
			return // it was killed, and wait4 will say so
		}
		c.tally(t, regs.Rip)
	}
}

// restarts reports whether the thread has stopped after an interrupted system call that is
// about to be restarted.
func restarts(regs *syscall.PtraceRegs) bool {
	const first, last = -516, -512 // ERESTART_RESTARTBLOCK to ERESTARTSYS of the kernel's errno.h
	return int64(regs.Orig_rax) >= 0 && int64(regs.Rax) >= first && int64(regs.Rax) <= last
}

// letGo detaches from a stopped thread, which goes on with a signal or 0.
func letGo(tid int, deliver syscall.Signal) {
	// The trap flag shows here if the kernel has taken it for the program's own: after a step
	// over the first popf, before that could be recognised.
	if flags := userWord(tid, wordFlags); flags >= 0 && flags&trapFlag != 0 {
		_ = ptrace(unix.PTRACE_POKEUSR, tid, wordFlags*8, uintptr(flags&^trapFlag))
	}
	_ = ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(deliver)) // ESRCH: it was killed
}
