//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Waits of coroutines: how they begin, how they end, and what they leave behind.

package loop

import (
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// The deadline of a stream at rest must not end a wait that has none.
func TestDeadlineOfRestDoesNotEndAWait(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	got, due := make(chan error, 1), int64(0)
	var peer net.Conn
	k := &task{}
	k.serve = func(w *Worker) {
		k.Rest(l.Tick()+20, false)
		due = k.due
		k.Take(w) // it is served, and its deadline stands
		l.Go(func(w *Worker) {
			var s Stream
			_ = s.Sleep(w, 60)
			_, _ = peer.Write([]byte("b"))
		})
		_, err := k.Read(make([]byte, 8))
		got <- err
		k.Close()
	}
	peer = open(t, l, k)
	onLoop(t, l, func(*Loop) any { k.Rest(0, true); return nil })
	if err := simnet.Receive(t, got, "the wait to end"); err != nil || due == 0 {
		t.Errorf("the wait ended with %v, the deadline was %d", err, due)
	}
}

// A stream that fails at the moment its wait times out must not turn the worker's next wait, on
// another stream, into a timeout.
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
		got <- first.wait(&first.input, 60_000)
		got <- second.wait(&second.input, 0)
	})
	simnet.Receive(t, waiting, "the wait")
	onLoop(t, l, func(*Loop) any {
		first.expireWait()
		first.fail()
		return nil
	})
	if err := simnet.Receive(t, got, "the first wait to end"); err != ErrClosed {
		t.Errorf("the wait on a stream that failed ended with %v", err)
	}
	onLoop(t, l, func(*Loop) any { l.wakeOrMark(&second.input); return nil })
	if err := simnet.Receive(t, got, "the second wait to end"); err != nil {
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

// A goroutine that a handler left behind must not be taken for the handler's worker, whatever that
// does in the meantime.
func TestStrangerIsNeverTakenForTheWorker(t *testing.T) {
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
				mine <- s.caller() != nil
			}()
			<-asked
		}
		ask()
		w.Begin(nil)
		ask()
		w.End()
		ask()
	})
	simnet.Receive(t, done, "the worker")
	for _, when := range []string{"before", "in", "after"} {
		if <-mine {
			t.Errorf("a goroutine was taken for the worker %s user code", when)
		}
	}
}

// A wake-up and a time-out in one turn: the first decides, and a wake-up that came
// second is there for the next wait.
func TestWakeUpMeetsTimeOut(t *testing.T) {
	for _, first := range []string{"wake-up", "time-out"} {
		t.Run(first, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			l := g.Next()
			s := &waitingStream{}
			waiting, got := make(chan struct{}), make(chan error, 2)
			l.Go(func(w *Worker) {
				s.open(w)
				defer s.close(l)
				close(waiting)
				got <- s.wait(&s.input, 60_000)
				got <- s.wait(&s.input, 20)
			})
			simnet.Receive(t, waiting, "the wait")
			onLoop(t, l, func(*Loop) any {
				if first == "time-out" {
					l.expire(&s.Stream)
				}
				s.deliver(inputBits)
				if first != "time-out" {
					l.expire(&s.Stream)
				}
				return nil
			})
			want := [2]error{nil, ErrTimeout}
			if first == "time-out" {
				want = [2]error{ErrTimeout, nil}
			}
			for i := range want {
				if err := simnet.Receive(t, got, "the waits to end"); err != want[i] {
					t.Errorf("wait %d ended with %v, not with %v", i+1, err, want[i])
				}
			}
		})
	}
}

// An event just before a goroutine is sent away is not lost with it: whoever has barred the stream
// finds it.
func TestWakeUpMeetsBar(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	s := &waitingStream{}
	waiting, got, sentAway := make(chan struct{}), make(chan error, 1), make(chan error, 1)
	l.Go(func(w *Worker) {
		s.open(w)
		defer s.close(l)
		go func() { sentAway <- s.wait(&s.input, 0) }()
		for s.input.Load() == nil {
			runtime.Gosched()
		}
		close(waiting)
		if err := s.wait(&s.output, 0); err != nil {
			t.Error(err)
		}
		got <- s.wait(&s.input, 20)
	})
	simnet.Receive(t, waiting, "the waits")
	onLoop(t, l, func(*Loop) any {
		s.signs.Or(signBarred) // as Bar begins
		s.deliver(inputBits)
		return nil
	})
	if err := simnet.Receive(t, sentAway, "the goroutine's wait to end"); err != ErrOver {
		t.Errorf("the goroutine got %v", err)
	}
	onLoop(t, l, func(*Loop) any {
		s.Unbar()
		s.deliver(outputBits)
		return nil
	})
	if err := simnet.Receive(t, got, "the wait behind it"); err != nil {
		t.Errorf("the wait behind it ended with %v", err)
	}
}

// A coroutine's wait ends like a goroutine's.
func TestCoroutineWaits(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	s := &waitingStream{}
	waiting, got := make(chan struct{}), make(chan error)
	l.Go(func(w *Worker) {
		s.open(w)
		defer s.close(l)
		defer close(got)
		l.wakeOrMark(&s.input)
		got <- s.wait(&s.input, 0) // it happened before
		got <- s.wait(&s.output, 5)
		waiting <- struct{}{}
		got <- s.wait(&s.input, 0)
		s.fail()
		got <- s.wait(&s.input, 0)
	})
	want := []error{nil, ErrTimeout, nil, ErrClosed}
	for i := range want {
		if i == 2 {
			simnet.Receive(t, waiting, "the wait")
			onLoop(t, l, func(*Loop) any { l.wakeOrMark(&s.input); return nil })
		}
		if err := simnet.Receive(t, got, "the waits to end"); err != want[i] {
			t.Errorf("wait %d ended with %v, not with %v", i+1, err, want[i])
		}
	}
	simnet.Receive(t, got, "the function to end")
}

// A coroutine and a goroutine of its handler wait on the two sides of one stream:
// each is woken for its own.
func TestCoroutineAndGoroutineWaitSideBySide(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	k, got := &task{}, make(chan string, 2)
	inside := make(chan struct{})
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		read := make(chan struct{})
		go func() {
			defer close(read)
			var b [8]byte
			n, err := k.Read(b[:])
			if err == nil {
				n, err = k.Read(b[:])
			}
			if err != nil {
				got <- err.Error()
				return
			}
			got <- "read " + string(b[:n])
		}()
		close(inside)
		_, err := k.Write(make([]byte, 4<<20)) // more than the socket takes
		if err != nil {
			got <- err.Error()
		} else {
			got <- "wrote"
		}
		<-read
	}
	peer := open(t, g.Next(), k)
	send(t, peer, "go")
	simnet.Receive(t, inside, "the handler")
	simnet.Eventually(t, "both waits", func() bool { return waits(&k.input) && waits(&k.output) })
	send(t, peer, "on")
	if first := simnet.Receive(t, got, "the reader"); first != "read on" {
		t.Errorf("the first to come back: %s", first)
	}
	go func() { _, _ = io.Copy(io.Discard, peer) }()
	if second := simnet.Receive(t, got, "the writer"); second != "wrote" {
		t.Errorf("the second to come back: %s", second)
	}
}
