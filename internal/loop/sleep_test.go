// Sleep: it lasts, it lets others run, and Stop ends it, with and without a
// poller.

package loop

import (
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

func eachDriver(t *testing.T, test func(*testing.T, *Group)) {
	for name, portable := range map[string]bool{"poller": false, "portable": true} {
		t.Run(name, func(t *testing.T) {
			g, err := NewGroup(Config{Loops: 1, Portable: portable})
			if err != nil {
				t.Fatal(err)
			}
			g.Start()
			defer g.Stop()
			test(t, g)
		})
	}
}

func TestSleepLasts(t *testing.T) {
	eachDriver(t, func(t *testing.T, g *Group) {
		const d = 30 * time.Millisecond
		took := make(chan time.Duration, 1)
		g.Next().Go(func(w *Worker) {
			var s Stream
			began := time.Now()
			if err := s.Sleep(w, d.Milliseconds()); err != nil {
				t.Error(err)
			}
			took <- time.Since(began)
		})
		if elapsed := simnet.Receive(t, took, "the sleeper"); elapsed < d {
			t.Errorf("slept %v instead of %v", elapsed, d)
		}
	})
}

// Others run while someone sleeps, and the end of the group ends the sleep.
func TestStopEndsSleep(t *testing.T) {
	eachDriver(t, func(t *testing.T, g *Group) {
		asleep, ended := make(chan struct{}), make(chan error, 1)
		g.Next().Go(func(w *Worker) {
			var s Stream
			close(asleep)
			ended <- s.Sleep(w, time.Hour.Milliseconds())
		})
		<-asleep
		other := make(chan struct{})
		g.Next().Go(func(*Worker) { close(other) })
		simnet.Receive(t, other, "another function")
		stopGroup(t, g)
		if err := simnet.Receive(t, ended, "the sleeper"); err != ErrClosed {
			t.Errorf("Stop ended the sleep with %v", err)
		}
		if n := g.Loops()[0].Streams(); n != 0 {
			t.Errorf("%d streams are left", n)
		}
	})
}

// A sleep lasts from its beginning, not from when the loop last read its clock.
func TestSleepIsNotShortened(t *testing.T) {
	eachDriver(t, func(t *testing.T, g *Group) {
		const d = 20 * time.Millisecond
		took := make(chan time.Duration, 1)
		g.Next().Go(func(w *Worker) {
			var s Stream
			for began := time.Now(); time.Since(began) < 2*d; {
			}
			began := time.Now()
			if err := s.Sleep(w, d.Milliseconds()); err != nil {
				t.Error(err)
			}
			took <- time.Since(began)
		})
		if elapsed := simnet.Receive(t, took, "the sleeper"); elapsed < d {
			t.Errorf("slept %v instead of %v", elapsed, d)
		}
	})
}
