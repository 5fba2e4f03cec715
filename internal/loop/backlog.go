// The backlog: streams and functions that want a worker and have no event to get them one. It is
// served when the events of a turn have run out, up to the length it has then; what is added
// meanwhile waits for the next turn. So work that creates more work keeps events, time and messages
// waiting no longer than any other.
//
// Streams also wait while the bound on handlers is reached. Functions do not: they are our own code,
// and a handler that counts may be waiting for one, such as the making of a connection.

package loop

// job is a stream that is to be served without an event.
type job struct {
	stream *Stream
	gen    uint32
}

// turnQueue is one of the two kinds of such work.
type turnQueue[T any] struct {
	queue[T]
	quota int // how many may still be taken before the next turn; < 0: not counted yet
}

// next returns the next one that may be taken before the next turn, no more than most of them.
func (q *turnQueue[T]) next(most int) (v T, ok bool) {
	if q.quota < 0 {
		q.quota = min(q.len(), most)
	}
	if q.quota == 0 {
		return v, false
	}
	q.quota--
	return q.pop()
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
