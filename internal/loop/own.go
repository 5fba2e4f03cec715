// What a worker uses besides the stream it serves: upstream sockets of its handler. The list is the
// loop's: it is changed with the loop held, and whoever takes the loop away from a handler finds in
// it what the late handler still uses. Each such stream is then an orphan, like the served one,
// until its owner gives it back (Hand); the loop does not wait for orphans when it stops.

package loop

// Take makes s, at rest, a stream of w's own; w must hold its loop. Rest or Close ends that. The
// stream that Serve is called for needs no Take.
func (s *Stream) Take(w *Worker) {
	s.state, s.worker, s.queued, s.owned = running, w, false, true
	w.own = append(w.own, s)
}

// Unheard reports whether the loop has already fetched an event for s, at rest, that its task has not
// been told of. The loop must be held.
func (s *Stream) Unheard() bool {
	l := s.loop
	if l.marked != l.polls { // once per poll, for all streams that are asked about
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

// PeerGone reports whether the peer of the stream that w serves has hung up, as far as the loop has
// heard. The loop must be held.
func (w *Worker) PeerGone() bool { return w.serving != nil && w.serving.HungUp() }

// disown takes s off its worker's list.
func (s *Stream) disown() {
	if !s.owned {
		return
	}
	s.owned = false
	if s.state == detached { // its handler left it behind (detachLeftovers), and now it was given back
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

// orphan detaches the streams of w, whose loop was just taken away: they are its own business from
// now on. The loop is held.
func (w *Worker) orphan() {
	if w.serving != nil {
		w.serving.detach()
	}
	for _, s := range w.own {
		s.detach() // it stays in the list, so that it hears of a hang-up of the peer (Follow)
	}
}

// detachLeftovers detaches the streams that a handler has left behind: the loop does not wait for anyone
// to give them back.
func (w *Worker) detachLeftovers() {
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
	if s.signs.Load()&signUnregistered != 0 {
		s.register() // so that a hang-up is noticed
	}
}
