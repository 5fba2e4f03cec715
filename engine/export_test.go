// Access for the external tests of the package.

package engine

import (
	"slices"
	"unsafe"

	"github.com/gale-http/gale/internal/loop"
)

// Held returns how many slots the server's loops have in use, listeners included, and how many
// pooled buffers are out. The loops are asked one after the other: until they rest it is an
// estimate, which may be below zero. It must not be called on a closed server.
func (s *Server) Held() (slots, buffers int) {
	type held struct{ slots, buffers int }
	loops := s.run.group.Loops()
	each := make(chan held, len(loops))
	for _, l := range loops {
		l.Post(func(l *loop.Loop) { each <- held{l.Streams(), localOf(l).buffers.Out()} })
	}
	for range loops {
		h := <-each
		slots += h.slots
		buffers += h.buffers
	}
	return slots, buffers + s.run.shared.Out()
}

// SetBodyGrace makes bodies slow, of servers that begin to listen from now on, after so
// many milliseconds of waiting, and returns what it was.
func SetBodyGrace(ms int64) (before int64) {
	before, bodyGrace = bodyGrace, ms
	return before
}

// ForgetInherited has the next ServeInherited look what the process was given.
func ForgetInherited() {
	inherited.Lock()
	defer inherited.Unlock()
	inherited.known, inherited.fds = false, nil
}

// Loads returns how many connections each loop has.
func (s *Server) Loads() []int {
	var all []int
	for _, l := range s.run.group.Loops() {
		all = append(all, int(localOf(l).load.Load()))
	}
	return all
}

// OpenAcceptors is openAcceptors for a server that has been started.
func (s *Server) OpenAcceptors(fds []int) error { return s.openAcceptors(fds, false, false) }

// LoopIndex tells which of the server's loops the request is served on.
func (r *Request) LoopIndex() int {
	r.x.check("LoopIndex")
	return slices.Index(r.x.server.run.group.Loops(), r.x.conn.Loop())
}

// SlotSize is how many bytes a connection at rest takes in its page, which has SlotsPerPage.
const (
	SlotSize     = unsafe.Sizeof(conn{})
	SlotsPerPage = connsPerPage
)

// NewPage allocates a page.
func NewPage() any { return newPage() }

// Waiting counts the connections of the portable driver that wait for another request.
func (s *Server) Waiting() (n int) {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	for c := range s.run.conns {
		if c.waits.Load() == waitsNext {
			n++
		}
	}
	return n
}

// Asides tells how often user code that is no handler has lost its loop.
func (s *Server) Asides() (n uint64) {
	for _, l := range s.run.group.Loops() {
		n += l.Tally(loop.Aside)
	}
	return n
}
