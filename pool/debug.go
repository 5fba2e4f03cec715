//go:build galedebug

package pool

// A register of all released memory, by weak pointer, with the call stack of its
// release. Weak pointers keep nothing alive, and memory that the collector has reused
// gets a different weak pointer, so buffers may be dropped without telling the register.
// A release fills the memory with a pattern; handing it out again checks that the
// pattern is intact.

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"weak"
)

// Debug reports whether the program was built with -tags galedebug: released
// memory is poisoned and checked, double releases panic.
const Debug = true

// poisonByte is not ASCII, not a token byte, and no valid UTF-8 when repeated:
// text that shows it is visibly wrong.
const poisonByte = 0xDB

// site is the call stack of a release.
type site [8]uintptr

// dead is one kind of released memory: buffers, keyed by their first byte, or
// bodies.
type dead[T any] struct {
	mu      sync.Mutex
	sites   map[weak.Pointer[T]]site
	sweepAt int
}

var (
	deadBuffers dead[byte]
	deadBodies  dead[Body]
)

// Poison marks b as released, for owners of memory that do not come from a pool:
// with -tags galedebug it fills b with a pattern, so that a view kept too
// long shows at once; otherwise it does nothing.
func Poison(b []byte) {
	for i := range b {
		b[i] = poisonByte
	}
}

// release registers b, which is a whole buffer, and poisons it.
func release(b []byte) {
	deadBuffers.enter(&b[0], len(b))
	Poison(b)
}

// claim removes b from the register; it panics if b was written meanwhile.
func claim(b []byte) {
	if s, ok := deadBuffers.leave(&b[0]); ok {
		s.check(b)
	}
}

// checkIntact is claim for memory that is dropped: it stays in the register, so that a
// second release of it is still detected.
func checkIntact(b []byte) {
	if s, ok := deadBuffers.look(&b[0]); ok {
		s.check(b)
	}
}

func releaseBody(b *Body) {
	deadBodies.enter(b, cap(b.B))
	Poison(b.B[:cap(b.B)])
}

func claimBody(b *Body) {
	if s, ok := deadBodies.leave(b); ok {
		s.check(b.B[:cap(b.B)])
	}
}

// check panics if b is not poison throughout.
func (s site) check(b []byte) {
	for i, c := range b {
		if c != poisonByte {
			panic(fmt.Sprintf("pool: buffer of %d bytes was written at offset %d after its release\nreleased at:%s",
				len(b), i, s))
		}
	}
}

// enter registers p; it panics if p is already registered.
func (d *dead[T]) enter(p *T, size int) {
	var s site
	runtime.Callers(4, s[:])
	w := weak.Make(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	if first, ok := d.sites[w]; ok {
		panic(fmt.Sprintf("pool: double release of a buffer of %d bytes\nreleased before at:%s", size, first))
	}
	if d.sites == nil {
		d.sites = make(map[weak.Pointer[T]]site)
	}
	d.sites[w] = s
	if len(d.sites) > d.sweepAt {
		for w := range d.sites {
			if w.Value() == nil {
				delete(d.sites, w)
			}
		}
		d.sweepAt = 2*len(d.sites) + 1024
	}
}

// leave removes p and returns where it was released, and whether it was registered at all.
func (d *dead[T]) leave(p *T) (site, bool) {
	w := weak.Make(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sites[w]
	delete(d.sites, w)
	return s, ok
}

func (d *dead[T]) look(p *T) (site, bool) {
	w := weak.Make(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.sites[w]
	return s, ok
}

// String lists the calls that led to the release, innermost first.
func (s site) String() string {
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	if n == 0 {
		return " unknown"
	}
	var out strings.Builder
	frames := runtime.CallersFrames(s[:n])
	for {
		f, more := frames.Next()
		fmt.Fprintf(&out, "\n\t%s (%s:%d)", f.Function, f.File, f.Line)
		if !more {
			return out.String()
		}
	}
}
