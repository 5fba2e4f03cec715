//go:build galedebug && linux

// What galedebug finds: a worker that runs a loop it has lost, and a stream that is given back
// twice.

package loop

import (
	"strings"
	"testing"
)

// panics requires that fn panics with those words.
func panics(t *testing.T, words string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if said, _ := recover().(string); !strings.Contains(said, words) {
			t.Errorf("it panics with %q", said)
		}
	}()
	fn()
}

func TestLostWorkerThatGoesOnIsFound(t *testing.T) {
	l := &Loop{}
	l.lease.word.Store(leaseWord(1, 0)) // the second root has it
	w := &Worker{loop: l}               // the first root's
	for name, goesOn := range map[string]func(){
		"takes the next": func() { l.take(w) },
		"serves":         func() { l.serveArrived(w) },
		"waits":          w.suspend,
	} {
		t.Run(name, func(t *testing.T) { panics(t, "has lost its loop", goesOn) })
	}
}

func TestGivingBackTwiceIsFound(t *testing.T) {
	l := &Loop{}
	l.refs.Store(2) // the loop's own, and an orphan's
	s := &Stream{loop: l, state: atRest, worker: &Worker{loop: l}, timer: timer{at: unarmed}}
	s.detach()
	backs := 0
	for range 2 {
		if !s.Return(func(Task) { backs++; s.state = atRest }) {
			t.Fatal("the loop has ended")
		}
	}
	panics(t, "given back", func() { l.run(l.inbox.take()) })
	if backs != 1 || l.orphans != 0 {
		t.Errorf("it came back %d times, %d orphans are left", backs, l.orphans)
	}
}
