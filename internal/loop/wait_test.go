// Waits of goroutines: on every platform, with the test as the loop that wakes
// them.

package loop

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// parkedStream returns a stream of a worker that never had a loop: its waits park.
func parkedStream(t *testing.T) *Stream {
	t.Helper()
	g, err := NewGroup(Config{Loops: 1, Portable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	s := &Stream{}
	s.reset()
	s.loop = g.Next()
	s.worker, s.state = newGoroutineWorker(s.loop), running
	return s
}

// goWait starts a wait on a goroutine of its own.
func goWait(s *Stream, side *word, timeout int64) <-chan error {
	got := make(chan error, 1)
	go func() { got <- s.wait(side, timeout) }()
	return got
}

// waits reports whether anyone waits on the side.
func waits(side *word) bool {
	who := side.Load()
	return who != nil && who != ready
}

func TestGoroutineIsWoken(t *testing.T) {
	s := parkedStream(t)
	for range 100 {
		got := goWait(s, &s.input, 0)
		simnet.Eventually(t, "the wait", func() bool { return waits(&s.input) })
		s.loop.wakeOrMark(&s.output) // not this one
		s.loop.wakeOrMark(&s.input)
		if err := simnet.Receive(t, got, "the wait to end"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatHappenedBeforeTheWaitEndsItAtOnce(t *testing.T) {
	s := parkedStream(t)
	s.loop.wakeOrMark(&s.input)
	s.loop.wakeOrMark(&s.input) // twice is once
	if err := s.wait(&s.input, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.wait(&s.input, 1); err != ErrTimeout {
		t.Fatalf("a second wait ended with %v", err)
	}
}

func TestGoroutineTimesOutInTime(t *testing.T) {
	s := parkedStream(t)
	for _, ms := range []int64{1, 10, 30} {
		began := time.Now()
		if err := s.wait(&s.output, ms); err != ErrTimeout {
			t.Fatalf("the wait ended with %v", err)
		}
		if took := time.Since(began); took < time.Duration(ms)*time.Millisecond {
			t.Errorf("a wait of %d ms took %v", ms, took)
		}
	}
	if s.output.Load() != nil {
		t.Error("something is left in the word")
	}
}

func TestFailureEndsWaits(t *testing.T) {
	s := parkedStream(t)
	reads, writes := goWait(s, &s.input, 0), goWait(s, &s.output, 60_000)
	simnet.Eventually(t, "both waits", func() bool { return waits(&s.input) && waits(&s.output) })
	s.fail()
	for _, got := range []<-chan error{reads, writes} {
		if err := simnet.Receive(t, got, "the wait to end"); err != ErrClosed {
			t.Errorf("a wait under way ended with %v", err)
		}
	}
	if err := s.wait(&s.input, 0); err != ErrClosed {
		t.Errorf("a wait to come ended with %v", err)
	}
}

func TestOneSideIsForOneGoroutine(t *testing.T) {
	s := parkedStream(t)
	got := goWait(s, &s.input, 0)
	simnet.Eventually(t, "the wait", func() bool { return waits(&s.input) })
	if err := s.wait(&s.input, 0); err != ErrBusy {
		t.Errorf("a second wait on the side ended with %v", err)
	}
	s.loop.wakeOrMark(&s.input)
	if err := simnet.Receive(t, got, "the first wait to end"); err != nil {
		t.Errorf("the first wait ended with %v", err)
	}
}

// Whatever comes first, wake-up, time-out or failure: no wait is left behind, no
// wake-up is lost, and no parker keeps one for its next user.
func TestParkingRaces(t *testing.T) {
	r := newRand(t)
	for range 400 {
		s := parkedStream(t)
		woken, signals := 0, atomic.Int64{}
		fail, timeouts := r.IntN(4) == 0, r.IntN(2) == 0
		done := make(chan int, 1)
		go func() {
			defer func() { done <- woken }()
			for i := range 20 {
				timeout := int64(0)
				if timeouts && i%2 == 0 {
					timeout = 1
				}
				switch s.wait(&s.input, timeout) {
				case nil:
					woken++
				case ErrClosed:
					return
				}
			}
		}()
		for i := 0; ; i++ {
			select {
			case n := <-done:
				if int64(n) > signals.Load() {
					t.Fatalf("%d signals ended %d waits", signals.Load(), n)
				}
			default:
				if fail && i == 5 {
					s.fail()
				}
				signals.Add(1)
				s.loop.wakeOrMark(&s.input)
				for range r.IntN(100) {
					runtime.Gosched()
				}
				continue
			}
			break
		}
		if waits(&s.input) {
			t.Fatal("a wait is left")
		}
		checkParker(t)
	}
}

// checkParker looks at a parker that was used last, most likely.
func checkParker(t *testing.T) {
	t.Helper()
	me := parkers.Get().(*waiter)
	defer parkers.Put(me)
	if len(me.wake) != 0 || len(me.lateFire) != 0 || me.expired || me.dismissed {
		t.Fatal("a parker kept a wake-up for its next user")
	}
}

// A signal that meets a wait's time-out either ends that wait or is kept for the next: it is never
// lost.
func TestNoWakeUpIsLostToATimeOut(t *testing.T) {
	s := parkedStream(t)
	for i := range 300 {
		got := goWait(s, &s.input, 1)
		for began := time.Now(); time.Since(began) < 900*time.Microsecond+time.Duration(i)*time.Microsecond; {
			runtime.Gosched()
		}
		s.loop.wakeOrMark(&s.input)
		if simnet.Receive(t, got, "the wait to end") == ErrTimeout {
			if err := s.wait(&s.input, 2000); err != nil {
				t.Fatalf("after a time-out the signal was gone: %v", err)
			}
		}
		checkParker(t)
	}
}

// A wait whose timer and event meet has one end, and then its timer is over, too: it would end the
// next wait.
func TestTimerMeetsTheEvent(t *testing.T) {
	r := newRand(t)
	me := parkers.New().(*waiter)
	var side word
	var timedOut, inTime int
	for range 3000 {
		side.Store(me)
		me.arm(&side, int64(r.IntN(30_000)))
		for range r.IntN(300) {
			runtime.Gosched()
		}
		if side.CompareAndSwap(me, nil) {
			me.wake <- struct{}{}
			inTime++
		}
		<-me.wake
		me.disarm()
		if me.expired {
			me.expired = false
			timedOut++
		}
		if me.timer.Stop() || len(me.wake)+len(me.lateFire) != 0 || side.Load() != nil {
			t.Fatal("something of the wait is left")
		}
	}
	if inTime+timedOut != 3000 {
		t.Errorf("%d waits ended in time, %d did not", inTime, timedOut)
	}
	t.Logf("%d waits ended in time, %d did not", inTime, timedOut)
}

// A timer that has begun when the event comes is waited for.
func TestTimerOnItsWay(t *testing.T) {
	me := parkers.New().(*waiter)
	var side word
	began, goOn, ran := make(chan struct{}), make(chan struct{}), false
	me.timer = time.AfterFunc(time.Hour, func() {
		close(began)
		<-goOn
		ran = true
		me.expire()
	})
	side.Store(me)
	me.arm(&side, 0)
	simnet.Receive(t, began, "the timer")
	side.Store(nil) // it has happened
	go close(goOn)
	me.disarm()
	if !ran || me.expired || len(me.wake)+len(me.lateFire) != 0 {
		t.Errorf("ran %v, expired %v, %d wakes", ran, me.expired, len(me.wake))
	}
}
