//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Early answers: claimed once, for the stream that they were shown for, and never by
// a goroutine that comes too late.

package loop

import (
	"io"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// servedBy runs f on a worker that serves a stream of its own.
func servedBy(t *testing.T, g *Group, f func(w *Worker, k *task)) (peer interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}, done chan struct{}) {
	t.Helper()
	k, done := &task{}, make(chan struct{})
	k.serve = func(w *Worker) {
		f(w, k)
		k.Close()
		close(done)
	}
	c, _ := openUnseen(t, g.Next(), k, "x")
	return c, done
}

// TestEarlyIsClaimedForItsStream: a goroutine that was to send what was shown for one
// stream, and comes when it has been claimed and more was shown, sends nothing.
func TestEarlyIsClaimedForItsStream(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	peer, done := servedBy(t, g, func(w *Worker, k *task) {
		e := &w.early
		w.ShowEarly([]byte("mine"))
		late := e.count
		if !k.ClaimEarly() {
			t.Error("nobody else can have claimed it")
		}
		w.ShowEarly([]byte("another's"))
		k.sendEarly(e, late)
		if !k.ClaimEarly() {
			t.Error("the goroutine that came too late has claimed what was shown since")
		}
		k.sendEarly(e, e.count)
		_, _ = k.Write([]byte("."))
	})
	simnet.Receive(t, done, "the handler")
	if got, _ := io.ReadAll(peer); string(got) != "." {
		t.Errorf("the peer got %q", got)
	}
}

// TestEarlyIsWaitedFor: a handler that claims what is being sent waits, and its loop goes on.
func TestEarlyIsWaitedFor(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	big := make([]byte, 16<<20) // more than a socket takes
	peer, done := servedBy(t, g, func(w *Worker, k *task) {
		w.ShowEarly(big)
		w.serving = &k.Stream
		w.sendEarlyAsync()
		for w.early.state.Load()&3 == earlyOpen {
			w.giveWay()
		}
		if k.ClaimEarly() {
			t.Error("what is being sent was claimed again")
		}
		_, _ = k.Write([]byte("."))
		w.serving = nil
	})
	other, answered := servedBy(t, g, func(_ *Worker, k *task) { _, _ = k.Write([]byte("!")) })
	simnet.Receive(t, answered, "another stream of the loop, while nobody reads from the first")
	if got, _ := io.ReadAll(other); string(got) != "!" {
		t.Errorf("the other got %q", got)
	}
	got, err := io.ReadAll(peer)
	if len(got) != len(big)+1 || got[len(big)] != '.' {
		t.Errorf("the peer got %d bytes, %v", len(got), err)
	}
	simnet.Receive(t, done, "the handler")
}

// TestEarlyCutShort: when the peer has got a part only of what was to be sent, because a wait was
// ended, nothing can follow: it would be taken for the rest.
func TestEarlyCutShort(t *testing.T) {
	ends := map[string]func(*task){
		"timeout":  func(*task) {},
		"deadline": func(k *task) { k.SetWriteDeadline(time.Now()) },
		"bar":      func(k *task) { k.Bar(); k.Unbar() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			big := make([]byte, 16<<20) // more than a socket takes
			cut, reading := make(chan struct{}), make(chan struct{})
			peer, done := servedBy(t, g, func(w *Worker, k *task) {
				if name == "timeout" {
					k.WriteTimeout = 1
				}
				w.ShowEarly(big)
				w.serving = &k.Stream
				w.sendEarlyAsync()
				for !k.Waiting() && !w.early.done.Opened() {
					w.giveWay()
				}
				end(k)
				if k.ClaimEarly() {
					t.Error("what is being sent was claimed again")
				}
				k.WriteTimeout = 0
				k.SetWriteDeadline(time.Time{})
				close(cut)
				for stop := false; !stop; {
					select {
					case <-reading:
						stop = true
					default:
						w.giveWay()
					}
				}
				if _, err := k.Write([]byte(".")); err == nil {
					t.Error("more was written behind a piece of an answer")
				}
				w.serving = nil
			})
			simnet.Receive(t, cut, "the end of the wait")
			one := make([]byte, 64<<10)
			if _, err := io.ReadFull(peer, one); err != nil {
				t.Error(err)
			}
			close(reading)
			got, _ := io.ReadAll(peer)
			if n := len(got); n > 0 && got[n-1] == '.' {
				t.Error("it has reached the peer")
			}
			simnet.Receive(t, done, "the handler")
		})
	}
}
