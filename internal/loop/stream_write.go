// Writing to a stream: what the kernel takes at once, which is nearly always everything, is one
// system call and one function; the rest waits for room.

package loop

import "github.com/gale-http/gale/internal/sys"

// Write writes all of p, waiting while the peer is slow. It returns how much was
// handed to the kernel, and does not allocate.
func (s *Stream) Write(p []byte) (int, error) {
	if s.transport != nil {
		return s.transport.write(s, p)
	}
	s.beforeWrite()
	n, e := sys.Send(int(s.fd), p)
	if e == 0 && n == len(p) {
		s.movedOut += uint32(n)
		return n, nil
	}
	return s.writeRest(p, n, e)
}

// writeRest goes on with Write of p after a send that returned n and e.
func (s *Stream) writeRest(p []byte, n int, e sys.Errno) (done int, err error) {
	for {
		if e != sys.EINTR {
			n, err = s.wrote(n, e)
			if done += n; err != nil || done == len(p) {
				return done, err
			}
			if err = s.waitOutput(); err != nil {
				return done, err
			}
		}
		n, e = sys.Send(int(s.fd), p[done:])
	}
}

// WriteAndRest writes all of p as Write does. When that took no wait, which it reports, it also
// puts the stream to rest for so many ticks, as Rest does, with nothing more to do. It is for
// streams over a descriptor only; see Raw.
func (s *Stream) WriteAndRest(p []byte, ticks int64) (rests bool, err error) {
	if len(p) > 0 {
		if n, e := sys.Send(int(s.fd), p); e != 0 || n < len(p) {
			_, err = s.writeRest(p, n, e)
			return false, err
		}
	}
	s.Rest(s.loop.wheel.tick+ticks, false)
	return true, nil
}

// WriteEnd writes all of p as Write does, and tells the peer that nothing follows, as HalfClose
// does: in one segment where that fits. When it fails the peer is told nothing, as it would take
// what it has got for everything. It is for streams of a loop.
func (s *Stream) WriteEnd(p []byte) (n int, err error) {
	if s.transport != nil {
		n, err = s.transport.writeEndTLS(p)
	} else {
		n, err = s.WriteMore(p)
	}
	if err == nil {
		s.shutdownWrite()
	}
	return n, err
}

// WriteThree writes a, b and c, one after the other and together where they fit. It returns how
// many of their bytes were handed to the kernel.
func (s *Stream) WriteThree(a, b, c []byte) (int, error) {
	if s.transport != nil {
		return s.transport.writeThree(s, a, b, c)
	}
	for done := 0; ; {
		n, err := s.tryWriteThree(a, b, c)
		if done += n; err != nil {
			return done, err
		}
		n, a = skip(n, a)
		n, b = skip(n, b)
		_, c = skip(n, c)
		if len(a)+len(b)+len(c) == 0 {
			return done, nil
		}
		if err := s.waitOutput(); err != nil {
			return done, err
		}
	}
}

// skip takes n bytes, or all there are, off the front of p and returns how many
// of the n are left.
func skip(n int, p []byte) (int, []byte) {
	if n < len(p) {
		return 0, p[n:]
	}
	return n - len(p), nil
}

func (s *Stream) waitOutput() error {
	if err := s.armOutput(); err != nil {
		return err
	}
	s.movedOut = 0
	return s.wait(&s.output, int64(s.WriteTimeout))
}

// Alert sets whether input also wakes whoever waits for output.
func (s *Stream) Alert(on bool) {
	if on {
		s.signs.Or(signAlert)
		return
	}
	s.signs.And(^uint32(signAlert))
}

// WaitOutput waits until TryWrite may find room or, under Alert, until there is input. In the
// portable driver, where TryWrite waits, it does not.
func (s *Stream) WaitOutput() error {
	if s.portable {
		return nil
	}
	return s.waitOutput()
}

// TryWrite hands over what the kernel takes now. When that is not all, the rest must be what is
// written next. Over a net.Conn, which cannot tell, it waits as Write does.
func (s *Stream) TryWrite(p []byte) (int, error) {
	if s.transport != nil {
		return s.transport.tryWrite(s, p)
	}
	return s.tryWrite(p, false)
}

// TryWriteThree is TryWrite of a, b and c, one after the other.
func (s *Stream) TryWriteThree(a, b, c []byte) (int, error) {
	switch {
	case len(b)+len(c) == 0:
		return s.TryWrite(a)
	case s.transport == nil:
		return s.tryWriteThree(a, b, c)
	case s.portable:
		return s.transport.writeThree(s, a, b, c)
	}
	for _, p := range [...][]byte{a, b, c} {
		if len(p) > 0 {
			return s.TryWrite(p)
		}
	}
	return 0, nil
}
