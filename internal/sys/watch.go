// Looking at words of memory from outside the scheduler (Watch): what is looked at, and a single
// look.

package sys

import (
	"sync/atomic"
	"unsafe"
)

// Sentry is one thing that Watch looks at.
type Sentry struct {
	word    *uint64  // while its lowest bit is set a loop may be stalled
	g       *uintptr // G of the goroutine that has set that bit
	idle    *uint32  // not 0: nothing can be stalled
	busy    *uint32  // set to 1 by each look that does not find it idle
	seen    uint64
	looks   int
	waited  uint64 // the last word that was seen while the goroutine waited
	recheck bool   // it may wait for a moment only: look again soon
	stalled bool   // so it was found at the last look
	waits   bool   // and that because its goroutine waited
}

// NewSentry returns the sentry of a word, which is watched while its lowest bit is set, on behalf
// of the goroutine g. The other bits of its lower half count how often that bit has been set; they
// begin anew when the upper half changes. idle tells Watch that nothing can be stalled; otherwise
// each look sets busy.
func NewSentry(word *atomic.Uint64, g *atomic.Uintptr, idle, busy *atomic.Bool) Sentry {
	// SAFETY: each is a struct of one number and of nothing that has a size.
	return Sentry{word: (*uint64)(unsafe.Pointer(word)), g: (*uintptr)(unsafe.Pointer(g)), idle: (*uint32)(unsafe.Pointer(idle)), busy: (*uint32)(unsafe.Pointer(busy))}
}

// Stalled reports whether the last look has found it stalled: Watch names only one of several.
func (s *Sentry) Stalled() bool { return s.stalled }

// Waits reports whether that was because the goroutine was found waiting, and not because the word
// had been the same for too long.
func (s *Sentry) Waits() bool { return s.waits }

// Seen returns the word as of the last look.
func (s *Sentry) Seen() uint64 { return s.seen }

// Watcher watches some sentries.
type Watcher struct {
	List         []Sentry
	Every        int64  // nanoseconds between two looks, less than a second
	StallLooks   int    // so many looks at the same word are too many
	WaitSpacing  uint32 // one word in so many may be seen while its goroutine waits; a second one is stalled at once; 0: never
	RecheckAfter int64  // nanoseconds until the second look at that first one, which is stalled if it is the same
	IdleLooks    int    // so many looks that find all idle end the watch
	looks        int
	recheck      bool          // some sentry is in doubt
	where        atomic.Uint64 // low half: the thread, 0 between calls of Watch; high half: how often Watch was called
}

// Thread returns the system's number of the thread that watches, and how often Watch was called,
// there or elsewhere; tid is 0 while no thread watches, and where Watch has no thread of its own.
// Any goroutine may call it.
func (w *Watcher) Thread() (tid int, calls uint32) {
	where := w.where.Load()
	return int(uint32(where)), uint32(where >> 32)
}

// Looks returns how often Watch has looked so far. It is for the caller of Watch.
func (w *Watcher) Looks() int { return w.looks }

// look looks once at each sentry, and returns the index of one that is stalled, -1 for none, and
// whether all are idle. It runs where nothing of Go's may be called or waited for, so it reads what
// others write without package atomic: one aligned word, and whoever acts upon it does so with a
// CAS.
//
//go:nosplit
//go:norace
func (w *Watcher) look() (stalled int, idle bool) {
	stalled, idle = -1, true
	w.looks++
	w.recheck = false
	for i := range w.List {
		s := &w.List[i]
		word := *s.word
		s.stalled, s.waits = false, false
		if *s.idle == 0 {
			idle, *s.busy = false, 1
		}
		if word&1 != 0 && Waiting(*s.g) {
			between := uint32(word) >> 1 // since the upper half has changed
			if word>>32 == s.waited>>32 {
				between = uint32(word-s.waited) >> 1
			}
			if s.waited = word; between < w.WaitSpacing {
				s.seen, s.looks, stalled = word, 0, i
				s.stalled, s.waits = true, true
				continue
			}
			s.recheck, w.recheck = true, true
		}
		if word&1 == 0 || word != s.seen {
			s.seen, s.looks = word, 0
			continue
		}
		if s.looks++; s.looks >= w.StallLooks {
			s.stalled, stalled = true, i
		}
	}
	return stalled, idle
}

// recheckOnce looks once more at the sentries that the last look has left in doubt, and at no others,
// because it comes so soon.
//
//go:nosplit
//go:norace
func (w *Watcher) recheckOnce() (stalled int) {
	stalled = -1
	for i := range w.List {
		s := &w.List[i]
		if s.recheck && *s.word == s.waited && Waiting(*s.g) {
			s.stalled, s.waits, stalled = true, true, i
		}
		s.recheck = false
	}
	return stalled
}
