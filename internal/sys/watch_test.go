// Watching.

package sys

import (
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

func TestWatch(t *testing.T) {
	var words [2]atomic.Uint64
	var g atomic.Uintptr // nobody
	var idle, busy [2]atomic.Bool
	var stop atomic.Bool
	w := Watcher{Every: 10_000, StallLooks: 3, IdleLooks: 5}
	for i := range words {
		w.List = append(w.List, NewSentry(&words[i], &g, &idle[i], &busy[i]))
	}
	words[0].Store(8) // not stalled, however long it stays
	words[1].Store(7)
	if i := w.Watch(&stop); i != 1 || w.List[1].Seen() != 7 || w.Looks() != 1+3 {
		t.Errorf("%d, %#x after %d looks", i, w.List[1].Seen(), w.Looks())
	}
	words[1].Store(9)
	if i := w.Watch(&stop); i != 1 || w.List[1].Seen() != 9 || w.Looks() != 2*(1+3) {
		t.Errorf("%d, %#x after %d looks", i, w.List[1].Seen(), w.Looks())
	}
	if !busy[0].Load() || !busy[1].Load() {
		t.Error("nobody is told of the looks")
	}
	busy[0].Store(false)
	busy[1].Store(false)
	words[0].Store(7) // two at once: one look finds both
	words[1].Store(11)
	if i := w.Watch(&stop); i < 0 || !w.List[0].Stalled() || !w.List[1].Stalled() || w.Looks() != 3*(1+3) {
		t.Errorf("%d after %d looks; stalled: %v, %v", i, w.Looks(), w.List[0].Stalled(), w.List[1].Stalled())
	}
	words[0].Store(8)
	busy[0].Store(false)
	busy[1].Store(false)
	words[1].Store(10)
	idle[0].Store(true)
	idle[1].Store(true)
	before := w.Looks()
	if i := w.Watch(&stop); i != -1 || w.Looks() != before+5 {
		t.Errorf("%d after %d looks at what is idle", i, w.Looks()-before)
	}
	if busy[0].Load() || busy[1].Load() {
		t.Error("who is idle is told of the looks")
	}
	stop.Store(true)
	if i := w.Watch(&stop); i != -1 || w.Looks() != before+5 {
		t.Errorf("%d after %d looks, and it was to stop", i, w.Looks()-before)
	}
	stop.Store(false)
	idle[0].Store(false)
	done := make(chan int)
	go func() { done <- w.Watch(&stop) }()
	stop.Store(true)
	if i := <-done; i != -1 {
		t.Errorf("%d when it was stopped", i)
	}
}

// One look at a goroutine that waits is enough, unless it is the first such look in a long time.
func TestWatchWaiting(t *testing.T) {
	var word atomic.Uint64
	var g atomic.Uintptr
	var idle, busy, stop atomic.Bool
	w := Watcher{List: []Sentry{NewSentry(&word, &g, &idle, &busy)}, Every: 10_000, StallLooks: 3, IdleLooks: 5, WaitSpacing: 400, RecheckAfter: 1000}
	on := make(chan struct{})
	defer close(on)
	go func() {
		g.Store(G())
		<-on
	}()
	simnet.Eventually(t, "it to wait", func() bool { return !FastG || Waiting(g.Load()) })
	const gen = 1 << 32
	for _, c := range []struct {
		word   uint64
		doubts bool
	}{
		{2*399 + 1, false},
		{2*798 + 1, false},
		{2*1198 + 1, true}, // 400 later: it is looked at again, soon
		{gen + 2*399 + 1, false},
		{2*gen + 2*400 + 1, true},
		{2*gen + 1<<32 - 1, true},
		{2*gen + 2*398 + 1, false}, // it has passed its end
	} {
		word.Store(c.word)
		before, looks := w.Looks(), 1
		if !FastG {
			looks = 1 + 3
		}
		if i := w.Watch(&stop); i != 0 || w.List[0].Seen() != c.word || w.Looks()-before != looks || w.recheck != (c.doubts && FastG) {
			t.Errorf("%#x: %d, %#x after %d looks, want %d; in doubt: %v", c.word, i, w.List[0].Seen(), w.Looks()-before, looks, w.recheck)
		}
	}
	for i := range w.List {
		if w.List[i].Waits() != FastG {
			t.Errorf("it is told to wait: %v", w.List[i].Waits())
		}
	}
	// Where none is dense, each has to be seen twice.
	w.WaitSpacing = 0
	for n := range uint64(5) {
		word.Store(3*gen + 2*n + 1)
		if stalled, _ := w.look(); stalled != -1 || w.recheck != FastG {
			t.Errorf("%d at a look at word %d", stalled, n)
		}
	}
	if stalled := w.recheckOnce(); (stalled == 0) != FastG || w.List[0].Waits() != FastG {
		t.Errorf("%d when it was seen again, and waits: %v", stalled, w.List[0].Waits())
	}
	w.WaitSpacing = 400
	// What has gone on meanwhile is not stalled, nor is anything else, because this look comes so
	// soon.
	word.Store(5*gen + 2*1000 + 1)
	if stalled, _ := w.look(); stalled != -1 || w.recheck != FastG {
		t.Errorf("%d at the first look", stalled)
	}
	word.Add(2)
	var running atomic.Uint64
	running.Store(7)
	w.List = append(w.List, NewSentry(&running, new(atomic.Uintptr), &idle, &busy))
	w.List[1].seen = 7
	if stalled := w.recheckOnce(); stalled != -1 || w.List[0].Stalled() || w.List[1].Stalled() {
		t.Errorf("%d when it was looked at again", stalled)
	}
	w.List = w.List[:1]
	word.Store(2 * gen) // not under watch
	idle.Store(true)
	if i := w.Watch(&stop); i != -1 {
		t.Error("who waits and is not watched is stalled")
	}
}
