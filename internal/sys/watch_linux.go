//go:build linux && !race

// Watching in one long sleep: the scheduler takes part only at its beginning and at its end.

package sys

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watch looks at the list until a sentry is stalled, and returns its index; or -1, when all have
// been idle for IdleLooks looks or stop is set. A sentry is stalled when its word has been the same,
// with the lowest bit set, for StallLooks looks, or when its goroutine was found waiting
// (WaitSpacing, RecheckAfter). Meanwhile the calling thread has no part in the scheduler.
//
//go:nosplit
//go:norace
func (w *Watcher) Watch(stop *atomic.Bool) (stalled int) {
	ts, soon := unix.NsecToTimespec(w.Every), unix.NsecToTimespec(w.RecheckAfter)
	// SAFETY: a struct of one number and of nothing that has a size.
	ended := (*uint32)(unsafe.Pointer(stop))
	stalled = -1
	w.where.Store((w.where.Load()>>32+1)<<32 | uint64(uint32(unix.Gettid())))
	entersyscallblock()
	for idle, quiet := 0, true; *ended == 0 && idle < w.IdleLooks; {
		// SAFETY: as in Sleep.
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
		if stalled, quiet = w.look(); stalled < 0 && w.recheck {
			syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&soon)), 0, 0)
			stalled = w.recheckOnce()
		}
		if stalled >= 0 {
			break
		}
		if idle++; !quiet {
			idle = 0
		}
	}
	exitsyscall()
	w.where.Store(w.where.Load() >> 32 << 32)
	return stalled
}
