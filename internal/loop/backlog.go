// The backlog: streams and functions that want a worker and have no event to get
// them one. It is served when the events have run out, as far as it went then;
// what that adds waits for the next turn. Work that begets work keeps events,
// time and messages waiting no longer than any other.

package loop

// job is work without an event: a stream to serve, or a function to run.
type job struct {
	stream *Stream
	gen    uint32
	fn     func(*Worker)
}

// mayRun tells whether one more job may run before the next turn.
func (l *Loop) mayRun() bool {
	if l.quota < 0 {
		l.quota = min(l.backlog.len(), l.batch)
	}
	if l.quota == 0 {
		return false
	}
	l.quota--
	return true
}

// enqueue has s, at rest, served without an event. However often it is asked for,
// it waits once.
func (l *Loop) enqueue(s *Stream) {
	if !s.queued {
		s.queued = true
		l.backlog.push(job{stream: s, gen: s.gen})
	}
}

// postpone keeps what the poller said of a stream at rest until a worker is free.
// A listener must be quiet so long: the poller would report it at every turn.
func (l *Loop) postpone(s *Stream, bits uint32) {
	s.Wake(bits)
	if s.level {
		l.poller.pauseAccept(int(s.fd), s.token())
	}
	l.enqueue(s)
}

// admit ends the waiting of a stream that is going to be served.
func (l *Loop) admit(s *Stream) {
	s.queued = false
	if s.level {
		l.poller.resumeAccept(int(s.fd), s.token())
	}
}
