//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Streams that are registered with the poller only when something has to be waited for.

package loop

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// seen reports whether a descriptor is registered with the loop's poller.
func seen(t *testing.T, l *Loop, fd int) bool {
	t.Helper()
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", l.poller.set))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		var tfd int
		if n, _ := fmt.Sscanf(line, "tfd: %d", &tfd); n == 1 && tfd == fd {
			return true
		}
	}
	return false
}

// openUnseen gives k to the loop like a connection that was just accepted, with text sent before.
func openUnseen(t *testing.T, l *Loop, k *task, text string) (*net.UnixConn, int) {
	t.Helper()
	fd, peer := pair(t)
	_ = peer.SetDeadline(time.Now().Add(simnet.Patience))
	if text != "" {
		send(t, peer, text)
	}
	err := onLoop(t, l, func(l *Loop) error {
		if err := k.OpenUnregistered(l, fd, k); err != nil {
			return err
		}
		k.Rest(0, true)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return peer, fd
}

func TestUnseenIsServedAndClosed(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l, done := g.Next(), make(chan bool, 1)
	k := &task{}
	k.serve = func(*Worker) {
		var b [8]byte
		if n, err := k.TryRead(b[:]); n != 1 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
		_, _ = k.Write(b[:1])
		done <- seen(t, l, int(k.fd))
		k.Close()
	}
	openUnseen(t, l, k, "x")
	if simnet.Receive(t, done, "the stream to be served") {
		t.Error("the poller was told of a stream that nobody waited for")
	}
}

func TestUnseenWaits(t *testing.T) {
	returns := func(k *task, w *Worker) { // from a handler
		if w.End() {
			k.Rest(0, true)
			return
		}
		k.giveBack(func(Task) { k.Rest(0, true) })
	}
	ways := map[string]func(k *task, w *Worker){
		"at rest":   func(k *task, _ *Worker) { k.Rest(0, false) },
		"in a read": func(k *task, _ *Worker) { _, _ = k.Read(make([]byte, 1)); k.Rest(0, true) },
		"in a handler": func(k *task, w *Worker) {
			w.Begin(&k.Stream)
			_, _ = k.Read(make([]byte, 1))
			returns(k, w)
		},
		"elsewhere": func(k *task, w *Worker) {
			w.Begin(&k.Stream)
			read := make(chan struct{})
			go func() {
				_, _ = k.Read(make([]byte, 1))
				close(read)
			}()
			<-read
			returns(k, w)
		},
	}
	for name, waits := range ways {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			l, rounds, got := g.Next(), 0, make(chan string, 1)
			k := &task{}
			k.serve = func(w *Worker) {
				if rounds++; rounds == 1 {
					waits(k, w)
					return
				}
				var b [8]byte
				n, err := k.TryRead(b[:])
				if n > 0 {
					got <- string(b[:n])
				}
				if err != nil {
					k.Close()
					return
				}
				k.Rest(0, false)
			}
			peer, fd := openUnseen(t, l, k, "")
			simnet.Eventually(t, "the poller to be told", func() bool { return seen(t, l, fd) })
			if name != "at rest" {
				send(t, peer, "w") // for who waits
			}
			send(t, peer, "x")
			for text := ""; !strings.HasSuffix(text, "x"); {
				text += simnet.Receive(t, got, "the text")
			}
			_ = peer.Close()
			rests(t, l)
		})
	}
}

// Writing to a peer that is slow from the start.
func TestUnseenWrites(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	k, size := &task{}, 4<<20
	k.serve = func(*Worker) {
		if n, err := k.Write(make([]byte, size)); n != size || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
		k.Close()
	}
	peer, fd := openUnseen(t, g.Next(), k, "x")
	simnet.Eventually(t, "the poller to be told", func() bool { return seen(t, g.Next(), fd) })
	b, got := make([]byte, 64<<10), 0
	for {
		n, err := peer.Read(b)
		if got += n; err != nil {
			break
		}
	}
	if got != size {
		t.Errorf("%d bytes came, want %d", got, size)
	}
}

// A hang-up is noticed while a handler that never asked for the stream is busy with something else.
func TestUnseenHangsUp(t *testing.T) {
	for name, busy := range map[string]func(w *Worker, stop <-chan struct{}){
		"blocked": func(_ *Worker, stop <-chan struct{}) { <-stop },
		"asleep": func(w *Worker, stop <-chan struct{}) {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var pause Stream
				under, held := w.Enter()
				if !held {
					<-stop
					return
				}
				_ = pause.Sleep(w, 1)
				w.Leave(under)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			gone, running := make(chan struct{}), make(chan struct{})
			k := &task{hangUp: func() { close(gone) }}
			k.serve = func(w *Worker) {
				var b [8]byte
				_, _ = k.TryRead(b[:])
				w.Begin(&k.Stream)
				close(running)
				busy(w, gone)
				k.end(w)
			}
			peer, _ := openUnseen(t, g.Next(), k, "x")
			simnet.Receive(t, running, "the handler")
			_ = peer.Close()
			simnet.Receive(t, gone, "the hang-up")
		})
	}
}
