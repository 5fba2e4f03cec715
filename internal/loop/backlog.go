// The backlog: streams and functions that want a worker and have no event to get them one. It is
// served when the events of a turn have run out, up to the length it has then; what is added
// meanwhile waits for the next turn. So work that creates more work keeps events, time and messages
// waiting no longer than any other.

package loop

// job is work without an event: a stream to serve, or a function to run.
type job struct {
	stream *Stream
	gen    uint32
	fn     func(*Worker)
}

// mayRun reports whether one more job may run before the next turn.
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

// enqueue makes s, at rest, be served without an event. However often it is called, s is in the
// backlog once.
func (l *Loop) enqueue(s *Stream) {
	if !s.queued {
		s.queued = true
		l.backlog.push(job{stream: s, gen: s.gen})
	}
}

// postpone keeps an event of a stream at rest until a worker is free. A listener is paused until
// then: the poller would report it at every turn.
func (l *Loop) postpone(s *Stream, bits uint32) {
	s.NoteEvents(bits)
	if s.level {
		l.poller.pauseAccept(int(s.fd), s.token())
	}
	l.enqueue(s)
}

// admit undoes postpone and enqueue for a stream that is going to be served.
func (l *Loop) admit(s *Stream) {
	s.queued = false
	if s.level {
		l.poller.resumeAccept(int(s.fd), s.token())
	}
}
