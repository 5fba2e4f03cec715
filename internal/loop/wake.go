// Ending waits from outside: for goroutines that do not hold the loop.

package loop

// WakeWriter ends the wait for output that is under way, or the next one, as if there were room.
// Any goroutine that knows the stream to be still the one it means may call it.
func (s *Stream) WakeWriter() {
	if !s.output.CompareAndSwap(nil, ready) {
		s.wakeFromOutside(&s.output)
	}
}

// WaitWriter waits until the kernel may take more, or until WakeWriter is called.
func (s *Stream) WaitWriter() error { return s.waitOutput() }

// Waiting reports whether anyone waits on the stream. The loop must be held.
func (s *Stream) Waiting() bool {
	in, out := s.input.Load(), s.output.Load()
	return in != nil && in != ready || out != nil && out != ready
}

// wakeFromOutside makes whoever waits at the word look again. Any goroutine that knows the stream to be still
// the one it means may call it.
func (s *Stream) wakeFromOutside(side *word) {
	for {
		who := side.Load()
		switch {
		case who == nil || who == ready:
			return
		case !side.CompareAndSwap(who, nil):
		case who.worker != nil: // suspended, so its loop has not ended
			s.loop.Post(func(l *Loop) { l.wakeWaiter(who) })
			return
		default:
			who.wake <- struct{}{}
			return
		}
	}
}
