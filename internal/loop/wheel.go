// Deadlines: a hierarchical wheel without cascading. A deadline d milliseconds away goes to a level
// whose granule is at most an eighth of d, rounded up, so it never fires early and at most an
// eighth late; setting, moving and visiting are O(1). Re-arming is lazy: moving a deadline later is
// one store in the stream, and the wheel notices when the old one comes up.

package loop

import "math/bits"

const (
	wheelLevels  = 7
	wheelShift   = 3 // each level is eight times coarser than the one below
	wheelBuckets = 64
	wheelMask    = wheelBuckets - 1
	visiting     = wheelLevels * wheelBuckets // the bucket that holds the list being visited
	unarmed      = -1
)

// timer is the wheel's part of a stream.
type timer struct {
	// due is when to act, in milliseconds of the loop's clock; 0 is never. Plain
	// stores may move it later at any time while the loop is held.
	due        int64
	next, prev *Stream
	// at is the bucket that holds the stream, or unarmed.
	at int16
	// waited is how long reads have waited, in milliseconds; owned by the reader.
	waited int32
}

type wheel struct {
	tick     int64 // milliseconds of the last advance
	occupied [wheelLevels + 1]uint64
	heads    [visiting + 1]*Stream
	armedAt  [visiting + 1]int64 // the tick at which the bucket is visited
}

// set makes s due at the given tick; 0 disarms it, lazily. A stream stays in its bucket if that is
// visited earlier, or later by no more than the eighth that is allowed anyway: so moving a deadline
// later is one store.
func (w *wheel) set(s *Stream, due int64) {
	if !w.keeps(s, due) {
		w.remove(s)
		w.insert(s)
	}
}

// keeps sets the deadline of s and reports whether s may stay in its bucket; if not, the caller
// must call set.
func (w *wheel) keeps(s *Stream, due int64) bool {
	s.due = due
	return due == 0 || s.at != unarmed && w.armedAt[s.at] <= due+(due-w.tick)>>wheelShift
}

func (w *wheel) insert(s *Stream) {
	delta := s.due - w.tick
	level := 0
	for delta >= wheelMask<<(level*wheelShift) && level < wheelLevels-1 {
		level++
	}
	shift := level * wheelShift
	granule := (s.due + 1<<shift - 1) >> shift
	if current := w.tick >> shift; granule <= current {
		granule = current + 1
	} else if granule > current+wheelMask {
		granule = current + wheelMask
	}
	at := level*wheelBuckets + int(granule&wheelMask)
	s.at, s.prev, s.next = int16(at), nil, w.heads[at]
	if s.next != nil {
		s.next.prev = s
	}
	w.heads[at] = s
	w.armedAt[at] = granule << shift
	w.occupied[level] |= 1 << (granule & wheelMask)
}

func (w *wheel) remove(s *Stream) {
	if s.at == unarmed {
		return
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		w.heads[s.at] = s.next
		if s.next == nil {
			w.occupied[s.at/wheelBuckets] &^= 1 << (s.at % wheelBuckets)
		}
	}
	s.at, s.next, s.prev = unarmed, nil, nil
}

// next returns the tick at which the wheel must be looked at, or 0 for never.
func (w *wheel) next() int64 {
	soonest := int64(0)
	for level, set := range w.occupied[:wheelLevels] {
		if set == 0 {
			continue
		}
		shift := level * wheelShift
		current := w.tick >> shift
		first := int64(bits.TrailingZeros64(bits.RotateLeft64(set, -int((current+1)&wheelMask))))
		if at := (current + 1 + first) << shift; soonest == 0 || at < soonest {
			soonest = at
		}
	}
	return soonest
}

// advance moves the wheel to now and calls fire for each stream whose deadline has passed, which is
// disarmed by then. Streams whose deadline was moved go to the bucket where they belong.
func (w *wheel) advance(now int64, fire func(*Stream)) {
	before := w.tick
	if now <= before {
		return
	}
	w.tick = now
	for level := range wheelLevels {
		shift := level * wheelShift
		from, to := before>>shift, now>>shift
		if from == to {
			return // coarser levels have not moved either
		}
		passed := ^uint64(0)
		if n := to - from; n < wheelBuckets {
			passed = bits.RotateLeft64(1<<n-1, int((from+1)&wheelMask))
		}
		for due := w.occupied[level] & passed; due != 0; due &= due - 1 {
			w.visit(level*wheelBuckets+bits.TrailingZeros64(due), fire)
		}
	}
}

// visit empties a bucket by way of the visiting one: fire may remove or set any stream, those still
// in the list included.
func (w *wheel) visit(at int, fire func(*Stream)) {
	w.heads[visiting], w.heads[at] = w.heads[at], nil
	w.occupied[at/wheelBuckets] &^= 1 << (at % wheelBuckets)
	for s := w.heads[visiting]; s != nil; s = s.next {
		s.at = visiting
	}
	for s := w.heads[visiting]; s != nil; s = w.heads[visiting] {
		w.remove(s)
		switch {
		case s.due == 0:
		case s.due > w.tick:
			w.insert(s)
		default:
			s.due = 0
			fire(s)
		}
	}
}
