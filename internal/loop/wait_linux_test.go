// Waits of coroutines: how they begin, how they end, and what they leave behind.

package loop

import (
	"testing"

	"github.com/gale-http/gale/internal/sys"
)

// The deadline of a stream at rest must not end a wait that has none.
func TestDeadlineOfRestDoesNotEndAWait(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	waiting, got := make(chan struct{}), make(chan error, 1)
	k := &task{}
	k.serve = func(w *Worker) {
		var b [8]byte
		if n, _ := k.TryRead(b[:]); n == 0 {
			k.Rest(l.Tick()+20, false)
			return
		}
		close(waiting)
		_, err := k.Read(b[:])
		got <- err
		k.Close()
	}
	peer := open(t, l, k)
	onLoop(t, l, func(l *Loop) any { k.Rest(l.Tick()+20, true); return nil })
	send(t, peer, "a")
	receive(t, waiting, "the wait")
	l.Go(func(w *Worker) {
		var s Stream
		_ = s.Sleep(w, 60)
		_, _ = peer.Write([]byte("b"))
	})
	if err := receive(t, got, "the wait to end"); err != nil {
		t.Errorf("the wait ended with %v", err)
	}
}

// A stream that fails in the moment its wait times out must not make the worker's
// next wait, on another stream, a timeout.
func TestFailureLeavesNoTimeoutBehind(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	first, second := &waitingStream{}, &waitingStream{}
	waiting, got := make(chan struct{}), make(chan error, 2)
	l.Go(func(w *Worker) {
		first.open(w)
		second.open(w)
		defer first.close(l)
		defer second.close(l)
		close(waiting)
		got <- first.wait(&first.input, 1000)
		got <- second.wait(&second.input, 0)
	})
	receive(t, waiting, "the wait")
	onLoop(t, l, func(*Loop) any {
		first.expireWait()
		first.fail()
		return nil
	})
	if err := receive(t, got, "the first wait to end"); err != ErrClosed {
		t.Errorf("the wait on a stream that failed ended with %v", err)
	}
	onLoop(t, l, func(*Loop) any { l.signal(&second.input); return nil })
	if err := receive(t, got, "the second wait to end"); err != nil {
		t.Errorf("the next wait, which was woken, ended with %v", err)
	}
}

// waitingStream is a stream to wait on, without a descriptor.
type waitingStream struct{ Stream }

func (s *waitingStream) open(w *Worker) {
	s.reset()
	s.loop, s.worker, s.state = w.loop, w, running
	w.loop.streams.add(&s.Stream)
}

func (s *waitingStream) close(l *Loop) {
	l.wheel.remove(&s.Stream)
	l.streams.remove(&s.Stream)
	s.state, s.worker = closed, nil
}

// A goroutine that a handler left behind must not be taken for the handler's
// worker, whatever that does in the meantime.
func TestStrangerIsNeverTakenForTheWorker(t *testing.T) {
	if !sys.HasG {
		t.Skip("goroutines cannot be told apart on this platform")
	}
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	mine, done := make(chan bool, 3), make(chan struct{})
	l.Go(func(w *Worker) {
		defer close(done)
		var s waitingStream
		s.open(w)
		defer s.close(l)
		ask := func() {
			asked := make(chan struct{})
			go func() {
				defer close(asked)
				mine <- s.mine()
			}()
			<-asked
		}
		ask()
		w.Begin(nil)
		ask()
		w.End()
		ask()
	})
	receive(t, done, "the worker")
	for _, when := range []string{"before", "in", "after"} {
		if <-mine {
			t.Errorf("a goroutine was taken for the worker %s user code", when)
		}
	}
}
