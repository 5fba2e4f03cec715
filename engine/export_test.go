// What tests of the package from outside may ask of its inside.

package engine

import "github.com/gale-http/gale/internal/loop"

// Held returns how many slots the server's loops have in use, listeners included,
// and how many pooled buffers are out. It must not be called on a closed server.
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
