//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Workers: how many there are, which one gets the next piece of work, and what becomes of those
// that end themselves.

package loop

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// suspendMany makes n functions wait on the loop, and returns what ends their waits.
func suspendMany(t *testing.T, l *Loop, n int) (release func()) {
	t.Helper()
	streams := make([]waitingStream, n)
	waiting, ended := make(chan struct{}, n), make(chan struct{}, n)
	for i := range streams {
		l.Go(func(w *Worker) {
			s := &streams[i]
			s.open(w)
			waiting <- struct{}{}
			if err := s.wait(&s.input, 0); err != nil {
				t.Error(err)
			}
			s.close(l)
			ended <- struct{}{}
		})
	}
	for range n {
		simnet.Receive(t, waiting, "the functions to wait")
	}
	return func() {
		onLoop(t, l, func(*Loop) any {
			for i := range streams {
				l.wakeOrMark(&streams[i].input)
			}
			return nil
		})
		for range n {
			simnet.Receive(t, ended, "the functions to end")
		}
	}
}

// Spares that nobody needs end, half of them at a time, all but one.
func TestSparesAreTrimmed(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	before := runtime.NumGoroutine()
	suspendMany(t, l, 40)()
	if n := onLoop(t, l, func(l *Loop) int { return l.workers }); n < 40 {
		t.Fatalf("there are %d workers", n)
	}
	trim := func(l *Loop) int {
		l.spareLow = min(l.spareLow, l.spareCount)
		l.trimSpares()
		return l.spareCount
	}
	left := []int{onLoop(t, l, trim)}
	for range 7 {
		left = append(left, onLoop(t, l, trim))
	}
	if !slices.IsSortedFunc(left, func(a, b int) int { return b - a }) || left[len(left)-1] != 1 {
		t.Errorf("the spares left were %v", left)
	}
	if left[2] > left[1]/2+1 {
		t.Errorf("not half of the spares ended: %v", left)
	}
	simnet.Eventually(t, "their goroutines to end", func() bool { return runtime.NumGoroutine() <= before+2 }) // the spare, and who runs the loop
}

// A loop with nothing else to do wakes up for that.
func TestParkedLoopTrimsItsSpares(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	suspendMany(t, l, 8)()
	onLoop(t, l, func(l *Loop) any {
		l.trimAt = l.Tick() + 5 // the first trim finds out how many were unused since
		return nil
	})
	with := runtime.NumGoroutine()
	simnet.Eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= with-3 })
}

// No more handlers are suspended than are allowed, and all get their turn.
func TestMaxWorkers(t *testing.T) {
	const workers, streams = 3, 20
	g := newGroup(t, Config{Loops: 1, MaxWorkers: workers})
	l := g.Next()
	inside, most := 0, 0 // guarded by the loop
	entered, done := make(chan int, streams), make(chan string, streams)
	peers := make([]interface{ Write([]byte) (int, error) }, streams)
	for i := range streams {
		k := &task{}
		k.serve = func(*Worker) {
			var b [8]byte
			if n, _ := k.TryRead(b[:1]); n == 0 {
				k.Rest(0, false)
				return
			}
			inside++
			most = max(most, inside)
			entered <- i
			n, err := k.Read(b[:])
			inside--
			done <- fmt.Sprint(string(b[:n]), err)
			k.Close()
		}
		peer := open(t, l, k)
		send(t, peer, "1")
		peers[i] = peer
	}
	simnet.Eventually(t, "as many handlers as there may be", func() bool { return len(entered) == workers })
	simnet.Eventually(t, "all others to wait for a worker", func() bool { return backlogLen(t, l) == streams-workers })
	for range streams {
		i := simnet.Receive(t, entered, "a handler to be called")
		if n := onLoop(t, l, func(l *Loop) int { return l.workers }); n > workers {
			t.Fatalf("there are %d workers", n)
		}
		_, _ = peers[i].Write([]byte("2"))
		if got := simnet.Receive(t, done, "a handler to return"); got != "2<nil>" {
			t.Errorf("the handler read %s", got)
		}
	}
	if most != workers {
		t.Errorf("at most %d handlers were inside at once, not %d", most, workers)
	}
}

// A function or task that calls runtime.Goexit ends its worker, resumed or not,
// and nothing else.
func TestGoexitEndsTheWorkerOnly(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, MaxWorkers: 4})
	l := g.Next()
	for range 3 * 4 {
		ended := make(chan struct{}, 2)
		l.Go(func(*Worker) {
			defer func() { ended <- struct{}{} }()
			runtime.Goexit()
		})
		l.Go(func(w *Worker) {
			defer func() { ended <- struct{}{} }()
			var s Stream
			_ = s.Sleep(w, 1)
			runtime.Goexit()
		})
		k := &task{}
		k.serve = func(w *Worker) {
			w.Begin(&k.Stream)
			defer k.end(w)
			var b [1]byte
			_, _ = k.Read(b[:])
			_, _ = k.Read(b[:])
			runtime.Goexit()
		}
		peer := open(t, l, k)
		send(t, peer, "1")
		simnet.Receive(t, ended, "the function to end")
		simnet.Receive(t, ended, "the sleeper to end")
		send(t, peer, "2")
		_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
		if _, err := peer.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the connection of the task is not closed: %v\n%s", err, simnet.Stacks())
		}
	}
	if n := onLoop(t, l, (*Loop).Streams); n != 0 {
		t.Errorf("%d streams are left", n)
	}
	if n := onLoop(t, l, func(l *Loop) int { return l.workers }); n < 0 || n > 1 {
		t.Errorf("%d workers are counted", n)
	}
	if l.Go(func(*Worker) {}) != true {
		t.Error("the loop has ended")
	}
}
