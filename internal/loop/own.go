// What a worker has beside the stream it serves: upstream sockets of its handler.
// The list is the loop's: it is changed with the loop held, and when the loop is
// taken away from a handler, whoever does that finds in it what the late handler
// still uses. Each such stream is an orphan, as the one served is, until its owner
// gives it back with Return; the loop does not wait for orphans when it stops.

package loop

// Take makes s, at rest, the own stream of w, which holds its loop: Rest or Close
// gives it up again. Serve does so by itself for what it serves.
func (s *Stream) Take(w *Worker) {
	s.state, s.worker, s.queued, s.owned = running, w, false, true
	w.own = append(w.own, s)
}

// Unheard tells whether the loop, which must be held, has already fetched an event of s,
// at rest, that its task has not been told of.
func (s *Stream) Unheard() bool {
	l := s.loop
	if l.marked != l.polls { // once for all that are asked about before the next poll
		l.marked = l.polls
		for i := 0; ; i++ {
			index, gen, ok := l.poller.ahead(i)
			if !ok {
				break
			}
			if other := l.streams.find(index, gen); other != nil {
				other.fetched = uint32(l.polls)
			}
		}
	}
	return s.queued || s.fetched == uint32(l.polls)
}

// PeerGone tells whether the peer of the stream that w serves has hung up, as far as
// the loop, which must be held, has heard.
func (w *Worker) PeerGone() bool { return w.serving != nil && w.serving.HungUp() }

// disown takes s off its worker's list.
func (s *Stream) disown() {
	if !s.owned {
		return
	}
	s.owned = false
	if s.state == detached { // it was forgotten, and found again
		s.loop.orphans--
	}
	own := s.worker.own
	last := len(own) - 1
	for i, other := range own {
		if other == s {
			own[i], own[last] = own[last], nil
			s.worker.own = own[:last]
			return
		}
	}
}

// orphan notes that the streams of w, whose loop was just taken away, are its own
// business from now on. The loop is held.
func (w *Worker) orphan() {
	if w.serving != nil {
		w.serving.detach()
	}
	for _, s := range w.own {
		s.detach() // and stays in the list, so that it hears of the peer's going (Follow)
	}
}

// forgotten makes orphans of the streams that a handler has left behind: the loop does not
// wait for whoever may come to give them back.
func (w *Worker) forgotten() {
	for _, s := range w.own {
		s.detach()
	}
}

func (s *Stream) detach() {
	if s.state == detached {
		return
	}
	s.state = detached
	s.loop.orphans++
	if s.signs.Load()&signUnseen != 0 {
		s.show() // so that a hang-up is heard of
	}
}
