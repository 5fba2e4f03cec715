//go:build linux && amd64

// Flags that a program pushes and pops while it is stepped. The one that makes a step is
// among what is pushed, and must not be: a goroutine that is preempted keeps its flags on
// its stack, and when it popped them with nobody tracing it any more, the program would be
// killed. And a step over popf is one after which the kernel takes that flag for the
// program's own, and leaves it set for ever: so popf is done here.

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

// stackingOf looks at the instruction at the start of code.
func stackingOf(code []byte) stacking {
	for i, c := range code {
		if !prefix(c) {
			half := i > 0 && code[0] == 0x66 // two bytes: nobody pops those
			return stacking{pushes: c == 0x9c, pops: c == 0x9d && !half, size: uint64(i) + 1}
		}
	}
	return stacking{}
}

// stackingAt looks at the instruction at t's address at, once for each.
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

// hideStep takes the step's flag out of what t has pushed, if that was its step from t.next.
func (c *Counter) hideStep(t *thread) {
	if !c.stackingAt(t, t.next).pushes {
		return
	}
	at := uint64(userWord(t.tid, wordRsp))
	if word, e := peek(t.tid, at); e == 0 {
		poke(t.tid, uintptr(at), binary.NativeEndian.Uint64(word[:])&^trapFlag)
	}
}

// popFlags does and counts t's next instructions for it, as long as they pop the flags.
func (c *Counter) popFlags(t *thread) {
	for c.stackingAt(t, t.next).pops {
		var regs syscall.PtraceRegs
		if syscall.PtraceGetRegs(t.tid, &regs) != nil || regs.Rip != t.next || restarts(&regs) {
			return
		}
		word, e := peek(t.tid, regs.Rsp)
		if e != 0 {
			return // it fails as the program's own
		}
		regs.Eflags = binary.NativeEndian.Uint64(word[:]) &^ trapFlag // the kernel keeps what is not the program's
		regs.Rsp += 8
		regs.Rip += c.stackings[t.next].size
		if syscall.PtraceSetRegs(t.tid, &regs) != nil {
			return // it was killed, and wait4 will say so
		}
		c.tally(t, regs.Rip)
	}
}

// restarts reports whether the thread stands behind a system call that was broken off, and
// is about to go back to it.
func restarts(regs *syscall.PtraceRegs) bool {
	const first, last = -516, -512 // ERESTART_RESTARTBLOCK to ERESTARTSYS of the kernel's errno.h
	return int64(regs.Orig_rax) >= 0 && int64(regs.Rax) >= first && int64(regs.Rax) <= last
}

// letGo has a stopped thread go on untraced, with a signal or 0.
func letGo(tid int, deliver syscall.Signal) {
	// The kernel shows the flag where it has taken it for the program's own: a step over
	// popf, the first one, before it could be seen.
	if flags := userWord(tid, wordFlags); flags >= 0 && flags&trapFlag != 0 {
		_ = ptrace(unix.PTRACE_POKEUSR, tid, wordFlags*8, uintptr(flags&^trapFlag))
	}
	_ = ptrace(unix.PTRACE_DETACH, tid, 0, uintptr(deliver)) // ESRCH: it was killed
}
