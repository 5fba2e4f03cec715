package pool

// A body of unknown size is collected in a buffer that grows. The pool of these
// buffers (bytebufferpool) learns how large bodies usually are, so that the few huge
// ones are not kept for ever. Whatever has a known or bounded size uses Local and
// Shared instead.

import "github.com/valyala/bytebufferpool"

// bodies is a pool of gale's own, so that it learns its sizes from bodies alone.
var bodies bytebufferpool.Pool

// Body is a growable buffer for a body of unknown size. Get one with
// [GetBody], give it back with [Body.Release]. It belongs to one goroutine at a
// time. Its field B is the contents; appending to it is allowed.
type Body bytebufferpool.ByteBuffer

// GetBody returns an empty Body, owned by the caller until Release. It may be
// called concurrently. It allocates only if the pool has no released one.
func GetBody() *Body {
	b := (*Body)(bodies.Get())
	if Debug {
		claimBody(b)
	}
	return b
}

// Write appends p and copies it. The error is always nil. It allocates when the
// buffer has to grow.
func (b *Body) Write(p []byte) (int, error) {
	b.B = append(b.B, p...)
	return len(p), nil
}

// WriteString appends p, as Write does.
func (b *Body) WriteString(p string) (int, error) {
	b.B = append(b.B, p...)
	return len(p), nil
}

// Bytes returns the contents: a view, valid until the next change or Release.
func (b *Body) Bytes() []byte { return b.B }

// Len returns the number of bytes in the body.
func (b *Body) Len() int { return len(b.B) }

// Reset empties the body and keeps its memory.
func (b *Body) Reset() { b.B = b.B[:0] }

// Release gives the body back to the pool. Neither it nor a view of it may be used
// afterwards; with -tags galedebug a second Release panics. The pool may leave a body
// that is much larger than most to the garbage collector.
func (b *Body) Release() {
	if Debug {
		releaseBody(b)
	}
	bodies.Put((*bytebufferpool.ByteBuffer)(b))
}
