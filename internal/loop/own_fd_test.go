//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// What a worker uses besides the stream it serves, when it keeps its loop and when it loses it.

package loop

import (
	"net/netip"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// upstream is something to connect to.
type upstream struct {
	t     *testing.T
	front acceptor
	addr  sys.Addr
}

func newUpstream(t *testing.T, l *Loop) *upstream {
	u := &upstream{t: t}
	u.front.accepted = make(chan int, 8)
	u.addr.IP = netip.MustParseAddrPort(u.front.listen(t, l))
	return u
}

// connect connects n streams of the worker's own.
func (u *upstream) connect(w *Worker, n int) []*Stream {
	streams := make([]*Stream, n)
	for i := range streams {
		streams[i] = new(Stream)
		u.connectOne(w, streams[i])
	}
	return streams
}

func (u *upstream) connectOne(w *Worker, s *Stream) {
	if err := s.Connect(w, u.addr, 0); err != nil {
		u.t.Error(err)
	}
}

// hangUp closes the other ends of n connections.
func (u *upstream) hangUp(n int) {
	for range n {
		sys.Close(simnet.Receive(u.t, u.front.accepted, "a connection"))
	}
}

// A worker that loses its loop makes orphans of all its streams: the loop can stop
// without them, and gets back those that come back.
func TestTakeoverDetachesEveryStreamOfTheWorker(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	k := &task{}
	own := make([]*Stream, 0, 3)
	lost, release := make(chan struct{}), make(chan struct{})
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		under, held := w.Enter()
		if !held {
			t.Error("the loop was lost before it began")
			return
		}
		own = append(own, up.connect(w, 3)...)
		own[1].Close() // no longer its own
		w.Leave(under)
		takeAway(t, l)
		close(lost)
		<-release
		if _, held := w.Enter(); held {
			t.Error("the worker has its loop again")
		}
		for _, s := range []*Stream{own[0], own[2]} {
			if !s.Return(func(Task) { s.Close() }) {
				t.Error("the loop has ended")
			}
		}
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, lost, "the takeover")
	states := onLoop(t, l, func(l *Loop) any {
		return [...]any{k.state, own[0].state, own[1].state, own[2].state, l.orphans, len(k.worker.own)}
	})
	// The list of a lost worker stays: through it its streams notice that the peer is gone.
	if want := any([...]any{detached, detached, closed, detached, 3, 2}); states != want {
		t.Errorf("states, orphans and own streams are %v, not %v", states, want)
	}
	up.hangUp(3)
	close(release)
	simnet.Eventually(t, "all but the listener to be closed", func() bool { return onLoop(t, l, (*Loop).Streams) == 1 })
	if n := onLoop(t, l, func(l *Loop) int { return l.orphans }); n != 0 {
		t.Errorf("%d orphans are left", n)
	}
}

// Stop does not wait for a late handler with several streams; what it returns later
// is closed at once.
func TestStopLeavesOrphansAlone(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	k := &task{}
	lost, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	k.serve = func(w *Worker) {
		defer close(done)
		w.Begin(&k.Stream)
		under, _ := w.Enter()
		own := up.connect(w, 2)
		w.Leave(under)
		takeAway(t, l)
		close(lost)
		<-release
		var b [1]byte
		for _, s := range own {
			if _, err := s.Read(b[:]); err != ErrClosed {
				t.Errorf("reading after Stop: %v", err)
			}
		}
		w.End()
		for _, s := range append(own, &k.Stream) {
			if s.Return(func(Task) { t.Error("taken back after the end") }) {
				t.Error("the loop has not ended")
			}
			s.Abandon()
		}
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, lost, "the takeover")
	up.hangUp(2)
	stopGroup(t, g)
	close(release)
	simnet.Receive(t, done, "the late handler")
}

// Another goroutine may give an own stream back, once, while its worker waits for something else.
func TestOwnStreamIsGivenBackByAGoroutine(t *testing.T) {
	g := newCalmGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	k, back, seen := &task{}, make(chan struct{}), make(chan int, 1)
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		under, _ := w.Enter()
		own := up.connect(w, 1)[0]
		w.Leave(under)
		go own.Hand(func(Task) {
			own.Close()
			close(back)
		})
		var b [8]byte
		_, _ = k.TryRead(b[:])
		if _, err := k.Read(b[:]); err != nil {
			t.Error(err)
		}
		seen <- len(w.own)
	}
	peer := open(t, l, k)
	send(t, peer, "go")
	simnet.Receive(t, back, "the stream")
	send(t, peer, "on")
	if n := simnet.Receive(t, seen, "the handler"); n != 0 {
		t.Errorf("the worker has %d streams of its own", n)
	}
	up.hangUp(1)
}

// Rest gives an own stream up, Take gets it again, for another worker too.
func TestOwnStreamsChangeHands(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	idle := &task{serve: func(*Worker) { t.Error("nothing has happened on it") }}
	done := make(chan [4]int, 1)
	l.Go(func(w *Worker) {
		var seen [4]int
		up.connectOne(w, &idle.Stream)
		idle.task = idle
		other := up.connect(w, 1)[0]
		seen[0] = len(w.own)
		idle.Rest(0, false)
		seen[1] = len(w.own)
		idle.Take(w)
		seen[2] = len(w.own)
		other.Close()
		idle.Close()
		seen[3] = len(w.own)
		done <- seen
	})
	up.hangUp(2)
	if got, want := simnet.Receive(t, done, "the function"), [4]int{2, 1, 2, 0}; got != want {
		t.Errorf("the worker had %v streams of its own, not %v", got, want)
	}
}
