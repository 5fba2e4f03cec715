//go:build linux && !race

// Watching in one long sleep: the scheduler takes part only at its beginning and at its end.

package sys

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Watch looks at the list until a sentry is amiss, and returns its index; or -1, when all have been
// idle for Calm looks or stop is set. A sentry is amiss when its word has been the same, with the
// lowest bit set, for Stale looks, or when its goroutine was found waiting (Dense, Soon). Meanwhile
// the calling thread has no part in the scheduler.
//
//go:nosplit
//go:norace
func (w *Watcher) Watch(stop *atomic.Bool) (amiss int) {
	ts, soon := unix.NsecToTimespec(w.Every), unix.NsecToTimespec(w.Soon)
	// SAFETY: a struct of one number and of nothing that has a size.
	ended := (*uint32)(unsafe.Pointer(stop))
	amiss = -1
	w.where.Store((w.where.Load()>>32+1)<<32 | uint64(uint32(unix.Gettid())))
	entersyscallblock()
	for idle, quiet := 0, true; *ended == 0 && idle < w.Calm; {
		// SAFETY: as in Sleep.
		syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
		if amiss, quiet = w.look(); amiss < 0 && w.doubt {
			syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&soon)), 0, 0)
			amiss = w.again()
		}
		if amiss >= 0 {
			break
		}
		if idle++; !quiet {
			idle = 0
		}
	}
	exitsyscall()
	w.where.Store(w.where.Load() >> 32 << 32)
	return amiss
}
