//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// What every poller must promise.

package loop

import (
	"testing"

	"github.com/gale-http/gale/internal/sys"
)

// Output may be asked for while another goroutine is still telling the poller of the
// stream (Stream.show).
func TestOutputIsAskedForBeforeTheStreamIsAdded(t *testing.T) {
	var p poller
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	fd, _ := pair(t)
	defer sys.Close(fd)
	if err := p.wantOutput(fd, 7); err != nil {
		t.Error("asking first:", err)
	}
	if err := p.add(fd, 7); err != nil {
		t.Error("adding then:", err)
	}
	if !p.poll(maxEvents) {
		t.Fatal("there is no event")
	}
	if index, _, bits, _ := p.event(); index != 7 || bits&sys.Out == 0 {
		t.Errorf("the event is of %d, bits %b", index, bits)
	}
}

// A stream whose output could not be asked for asks again at the next wait.
func TestOutputThatWasRefusedIsAskedForAgain(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l, k := g.Next(), &task{}
	k.serve = func(*Worker) { k.Close() }
	open(t, l, k)
	onLoop(t, l, func(l *Loop) any {
		set := l.poller.set
		l.poller.set = -1
		if k.armOutput() == nil {
			t.Error("no poller took it")
		}
		l.poller.set = set
		if k.outputArm {
			t.Error("the stream believes that the poller knows")
		}
		return nil
	})
}

// A stream that could not move is as before, and asks for output again: its new
// registration does not.
func TestFailedMoveAsksForOutputAgain(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l, k := g.Next(), &task{}
	k.serve = func(*Worker) { k.Close() }
	open(t, l, k)
	onLoop(t, l, func(*Loop) any {
		k.state = shared
		if err := k.armOutput(); err != nil {
			t.Error(err)
		}
		var moved Stream
		if moved.Move(&Worker{loop: &Loop{stopping: true}}, &k.Stream, nil, nil) == nil {
			t.Error("it moved to a loop that is stopping")
		}
		if k.outputArm || k.signs.Load()&phaseMask != busy {
			t.Errorf("output is believed to be asked for: %v, signs %#x", k.outputArm, k.signs.Load())
		}
		k.state = atRest
		return nil
	})
}
