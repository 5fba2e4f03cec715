//go:build linux && amd64

// A slow clock for a slow process. Programs read the clock in the vDSO, a few dozen
// instructions that the kernel maps into every process. When a step arrives at the first
// of them, the tracer returns in their place, with a time that advances with the
// instructions counted, and counts what the vDSO would have executed: as many
// instructions as in the first call, which it lets run.

package steps

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// stepNanos is how far time advances per instruction, in nanoseconds: about what a busy
// server takes, kernel time included.
const stepNanos = 4

// clock is one process's vDSO clock.
type clock struct {
	entry  uint64 // address of the vDSO's clock_gettime; 0: there is none
	clocks map[uint64]*reading
}

// reading is the state of one clock id.
type reading struct {
	cost   uint64 // instructions from the vDSO's first to the return; 0: not known yet
	start  unix.Timespec
	at     uint64 // the count at start
	native int    // calls that were let run and have not returned
}

// call is a thread's call of the clock that was let run.
type call struct {
	id     uint64
	back   uint64 // its return address
	began  uint64 // the thread's count when it began
	active bool
}

// findClock locates clock_gettime in the process's vDSO, by the symbols of this program's
// own vDSO, which is the same.
func findClock(pid int) (*clock, error) {
	own, size, err := vdsoOf("self")
	if err != nil {
		return nil, err
	}
	image := make([]byte, size)
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	if _, err := mem.ReadAt(image, int64(own)); err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("read the vDSO: %w", err)
	}
	base, _, err := vdsoOf(strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if s.Name == "__vdso_clock_gettime" {
			return &clock{entry: base + s.Value, clocks: map[uint64]*reading{}}, nil
		}
	}
	return nil, errors.New("the vDSO has no clock")
}

// vdsoOf returns where the vDSO of a process is mapped.
func vdsoOf(pid string) (base, size uint64, err error) {
	maps, err := os.ReadFile("/proc/" + pid + "/maps")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(line, "[vdso]\n") {
			continue
		}
		var end uint64
		if _, err := fmt.Sscanf(line, "%x-%x ", &base, &end); err != nil {
			return 0, 0, err
		}
		return base, end - base, nil
	}
	return 0, 0, errors.New("no vDSO is mapped")
}

// clockStep is called after a step of t to addr has been counted. It answers a call of the
// clock that begins there, and learns from one that ends there.
func (c *Counter) clockStep(t *thread, addr uint64) {
	if t.call.active && addr == t.call.back {
		c.learn(t)
	}
	if addr != c.clock.entry {
		return
	}
	var regs syscall.PtraceRegs
	if syscall.PtraceGetRegs(t.tid, &regs) != nil {
		return // it was killed, and wait4 will say so
	}
	word, e := peek(t.tid, regs.Rsp)
	if e != 0 {
		return
	}
	back := binary.NativeEndian.Uint64(word[:])
	r := c.clock.clocks[regs.Rdi]
	if r == nil {
		r = new(reading)
		c.clock.clocks[regs.Rdi] = r
	}
	if r.cost == 0 || r.native > 0 {
		t.call = call{regs.Rdi, back, t.steps, true}
		r.native++
		return
	}
	now := r.start.Nano() + int64(c.total.Load()-r.at)*stepNanos
	poke(t.tid, uintptr(regs.Rsi), uint64(now/1e9))
	poke(t.tid, uintptr(regs.Rsi)+8, uint64(now%1e9))
	regs.Rip, regs.Rsp, regs.Rax = back, regs.Rsp+8, 0
	if syscall.PtraceSetRegs(t.tid, &regs) == nil {
		t.next = back
		t.steps += r.cost
		c.total.Add(r.cost)
	}
}

// learn records the cost of a call that was let run, and starts the slow clock at the time
// it returned.
func (c *Counter) learn(t *thread) {
	r := c.clock.clocks[t.call.id]
	t.call.active = false
	r.cost = t.steps - t.call.began
	r.native--
	r.at = c.total.Load()
	_ = unix.ClockGettime(int32(t.call.id), &r.start) // cannot fail: the process has just read this clock
}

func poke(tid int, addr uintptr, word uint64) {
	_ = ptrace(unix.PTRACE_POKEDATA, tid, addr, uintptr(word)) // fails as the program's own write would have
}
