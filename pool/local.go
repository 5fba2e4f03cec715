package pool

// The strategy of this file: one last-in first-out list per class, because the
// buffer returned last is the one most likely still in the cache. A list keeps
// a bounded number of bytes; what comes on top goes to the shared pool. The
// lowest length a list had since the last Trim is the number of its buffers
// that nobody needed in that time, which is all that Trim has to know.

// DefaultLocalKeep is the number of bytes a Local keeps in each class when its
// Keep is zero.
const DefaultLocalKeep = 1 << 20

// Local is the free lists of one loop. It is not safe for concurrent use: only
// the goroutine that holds the loop may call it. The zero value is ready, and
// works alone or in front of a Shared. It must not be copied after first use.
type Local struct {
	// Shared takes what does not fit here and is asked before new memory is
	// allocated. nil: the garbage collector plays that part.
	Shared *Shared
	// Keep bounds the bytes kept in each class. Zero is DefaultLocalKeep,
	// negative keeps nothing.
	Keep int

	lists [Classes]list
	out   int
}

type list struct {
	bufs [][]byte // INVARIANT: each of this class; entries beyond len are nil
	low  int      // smallest len(bufs) since the last Trim
}

// Get returns a buffer of at least size bytes. Its length and capacity are the
// size of its class, or, beyond MaxSize, size rounded up to whole 8 KiB pages.
// What it contains is left over from an earlier use: write before you read.
//
// The caller owns it until Put. Allocates only when neither this pool nor
// Shared has one, and always beyond MaxSize.
func (l *Local) Get(size int) []byte {
	if size > MaxSize {
		return makeLarge(size)
	}
	c := classFor(size)
	l.out++
	f := &l.lists[c]
	n := len(f.bufs) - 1
	if n < 0 {
		return l.Shared.take(c)
	}
	b := f.bufs[n]
	f.bufs[n] = nil
	f.bufs = f.bufs[:n]
	if n < f.low {
		f.low = n
	}
	if Debug {
		claim(b)
	}
	return b
}

// Put takes back a buffer, whole: whoever holds another slice of the same
// memory must not use it any more. The length of b does not matter, its
// capacity must be a class size; any other buffer (nil, one beyond MaxSize, one
// that was sliced at its front) is left to the garbage collector. Buffers that
// another pool or make produced are welcome.
//
// Allocates only while a list grows to its bound for the first time.
func (l *Local) Put(b []byte) {
	c := classOf(cap(b))
	if c < 0 {
		return
	}
	b = b[:cap(b)]
	if Debug {
		release(b)
	}
	l.out--
	f := &l.lists[c]
	if len(f.bufs) < l.bound(c) {
		f.bufs = append(f.bufs, b)
		return
	}
	l.Shared.give(c, b)
}

// Trim gives half of what was not needed since the last Trim back to the
// garbage collector. Called once in a while (every few seconds, say), it lets
// the memory of a burst go over a few calls, and leaves alone what is in use.
func (l *Local) Trim() {
	for c := range l.lists {
		f := &l.lists[c]
		drop := (f.low + 1) / 2
		if Debug {
			for _, b := range f.bufs[:drop] {
				checkIntact(b)
			}
		}
		// The oldest stand at the bottom: they are the coldest.
		n := copy(f.bufs, f.bufs[drop:])
		clear(f.bufs[n:])
		f.bufs = f.bufs[:n]
		if n == 0 {
			f.bufs = nil
		}
		f.low = n
	}
}

// Held returns the bytes kept here, ready to be handed out.
func (l *Local) Held() int {
	n := 0
	for c := range l.lists {
		n += len(l.lists[c].bufs) * classSize(c)
	}
	return n
}

// Out returns how many pooled buffers Get handed out less how many Put took
// back. A buffer may be returned to another pool than it came from, so only
// the sum over all pools that work together says whether one was lost.
func (l *Local) Out() int { return l.out }

// bound returns how many buffers of class c may be kept.
func (l *Local) bound(c int) int {
	keep := l.Keep
	if keep == 0 {
		keep = DefaultLocalKeep
	}
	return keep >> (minShift + c) // negative stays negative
}
