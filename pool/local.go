package pool

// There is one last-in first-out list per class, because the buffer returned last is
// the one most likely to be still in the cache. A list keeps a bounded number of bytes;
// surplus buffers go to the shared pool. The lowest length of a list since the last Trim
// is the number of its buffers that were not needed in that time, which is all that Trim
// has to know.

// DefaultLocalKeep is the number of bytes a Local keeps in each class when its
// Keep is zero.
const DefaultLocalKeep = 1 << 20

// Local is the free lists of one loop. It is not safe for concurrent use: only
// the goroutine that holds the loop may call it. The zero value is ready, and
// works alone or in front of a Shared. It must not be copied after first use.
type Local struct {
	// Shared takes surplus buffers, and is tried before new memory is allocated. If it
	// is nil, surplus buffers are left to the garbage collector.
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
// size of its class or, beyond MaxSize, size rounded up to whole 8 KiB pages.
// Its contents are undefined.
//
// The caller owns it until Put. Get allocates only if neither this pool nor Shared
// has a buffer, and always beyond MaxSize.
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

// Put takes back a whole buffer: no other slice of the same memory may be used any
// more. The length of b does not matter, but its capacity must be a class size; any
// other buffer (nil, one beyond MaxSize, one that was resliced at its front) is left to
// the garbage collector. Buffers that another pool or make produced are accepted.
//
// Put allocates only while a list grows to its bound for the first time.
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

// Trim releases half of the buffers that were not needed since the last Trim to the
// garbage collector. Called every few seconds, say, it releases the memory of a burst
// over a few calls, and keeps the buffers that are in use.
func (l *Local) Trim() {
	for c := range l.lists {
		f := &l.lists[c]
		drop := (f.low + 1) / 2
		if Debug {
			for _, b := range f.bufs[:drop] {
				checkIntact(b)
			}
		}
		// The oldest buffers are at the bottom of the list: they are the coldest.
		n := copy(f.bufs, f.bufs[drop:])
		clear(f.bufs[n:])
		f.bufs = f.bufs[:n]
		if n == 0 {
			f.bufs = nil
		}
		f.low = n
	}
}

// Held returns the number of bytes kept here, ready to be handed out.
func (l *Local) Held() int {
	n := 0
	for c := range l.lists {
		n += len(l.lists[c].bufs) * classSize(c)
	}
	return n
}

// Out returns how many pooled buffers Get has handed out less how many Put has taken
// back. A buffer may be returned to another pool than the one it came from, so only
// the sum over all pools that work together shows whether one was lost.
func (l *Local) Out() int { return l.out }

// bound returns how many buffers of class c may be kept.
func (l *Local) bound(c int) int {
	keep := l.Keep
	if keep == 0 {
		keep = DefaultLocalKeep
	}
	return keep >> (minShift + c) // negative stays negative
}
