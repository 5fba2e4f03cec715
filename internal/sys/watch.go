// Looking at words of memory from outside the scheduler (Watch): what it looks at, and
// one look.

package sys

import (
	"sync/atomic"
	"unsafe"
)

// Sentry is one thing that Watch looks at.
type Sentry struct {
	word   *uint64  // while its lowest bit is set something may be amiss
	g      *uintptr // the G of whoever has set that
	idle   *uint32  // not 0: nothing can be amiss
	busy   *uint32  // set to 1 at each look that does not find it idle
	seen   uint64
	looks  int
	waited uint64 // the last word that was seen while g waited
	doubt  bool   // it may wait for a moment only: see again
	amiss  bool   // at the last look
	waits  bool   // and that because g waited
}

// NewSentry returns the sentry of a word, which is watched while its lowest bit is set,
// on behalf of the goroutine g. The other bits of its lower half count how often it has been
// set; they begin anew when the upper half changes. idle tells Watch that there is nothing to do; otherwise each look sets busy.
func NewSentry(word *atomic.Uint64, g *atomic.Uintptr, idle, busy *atomic.Bool) Sentry {
	// SAFETY: all are structs of one number and of nothing that has a size.
	return Sentry{word: (*uint64)(unsafe.Pointer(word)), g: (*uintptr)(unsafe.Pointer(g)), idle: (*uint32)(unsafe.Pointer(idle)), busy: (*uint32)(unsafe.Pointer(busy))}
}

// Amiss tells whether the last look has found it so: of several, Watch names only one.
func (s *Sentry) Amiss() bool { return s.amiss }

// Waits tells whether it was so because its goroutine was found waiting, and not because the word had
// been the same for too long.
func (s *Sentry) Waits() bool { return s.waits }

// Seen returns what the word was at the last look.
func (s *Sentry) Seen() uint64 { return s.seen }

// Watcher watches some sentries.
type Watcher struct {
	List  []Sentry
	Every int64  // nanoseconds between two looks, less than a second's
	Stale int    // looks at the same word that are too many
	Dense uint32 // of so many words in a row one may be seen while its goroutine waits; a second one is amiss at once; 0: never
	Soon  int64  // nanoseconds after which the first one is looked at again; if it is the same, it is amiss
	Calm  int    // looks that have found all idle, after which there is nothing to watch
	looks int
	doubt bool          // there is a sentry in doubt
	where atomic.Uint64 // the thread, 0 between calls of Watch, above it how often that was called
}

// Thread returns the thread that watches, as the system numbers them, and how often Watch was
// called there or elsewhere; tid is 0 while none does, and where it has no thread of its own. Any
// goroutine may call it.
func (w *Watcher) Thread() (tid int, calls uint32) {
	where := w.where.Load()
	return int(uint32(where)), uint32(where >> 32)
}

// Looks returns how often Watch has looked so far. It is for whoever calls that.
func (w *Watcher) Looks() int { return w.looks }

// look looks once at each, and tells which word has been the same for too long, -1 for none,
// and whether all are idle. It runs where nothing of Go's may be called or waited for,
// which is why it reads what others write without package atomic: one aligned word, and
// whoever acts upon it does so with a CAS.
//
//go:nosplit
//go:norace
func (w *Watcher) look() (amiss int, idle bool) {
	amiss, idle = -1, true
	w.looks++
	w.doubt = false
	for i := range w.List {
		s := &w.List[i]
		word := *s.word
		s.amiss, s.waits = false, false
		if *s.idle == 0 {
			idle, *s.busy = false, 1
		}
		if word&1 != 0 && Waiting(*s.g) {
			between := uint32(word) >> 1 // since the upper half has changed
			if word>>32 == s.waited>>32 {
				between = uint32(word-s.waited) >> 1
			}
			if s.waited = word; between < w.Dense {
				s.seen, s.looks, amiss = word, 0, i
				s.amiss, s.waits = true, true
				continue
			}
			s.doubt, w.doubt = true, true
		}
		if word&1 == 0 || word != s.seen {
			s.seen, s.looks = word, 0
			continue
		}
		if s.looks++; s.looks >= w.Stale {
			s.amiss, amiss = true, i
		}
	}
	return amiss, idle
}

// again looks once more at what the last look has left in doubt, and at nothing else, because it
// comes so soon.
//
//go:nosplit
//go:norace
func (w *Watcher) again() (amiss int) {
	amiss = -1
	for i := range w.List {
		s := &w.List[i]
		if s.doubt && *s.word == s.waited && Waiting(*s.g) {
			s.amiss, s.waits, amiss = true, true, i
		}
		s.doubt = false
	}
	return amiss
}
