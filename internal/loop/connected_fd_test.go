//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// What the poller reports about a stream that was connected.

package loop

import (
	"errors"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// The events of a stream that has been connected are of its input alone: with output among them,
// each would report one thing more.
func TestConnectedStreamHearsOfInputAlone(t *testing.T) {
	if !outputStays {
		return // output is reported once
	}
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	up := newUpstream(t, l)
	done := make(chan error, 1)
	k := &task{}
	l.Go(func(w *Worker) {
		if err := k.Connect(w, up.addr, 0); err != nil {
			done <- err
			return
		}
		k.Become(k)
		defer k.Close()
		for range 2 {
			if _, err := k.Write([]byte("x")); err != nil {
				done <- err
				return
			}
			var b [1]byte
			if _, err := k.Read(b[:]); err != nil {
				done <- err
				return
			}
			if k.outputArm || k.output.Load() != nil {
				done <- errors.New("the poller tells of output")
				return
			}
		}
		done <- nil
	})
	echo := &task{}
	echo.serve = func(*Worker) { serveEcho(echo) }
	fd := simnet.Receive(t, up.front.accepted, "the connection")
	if err := onLoop(t, l, func(l *Loop) error {
		defer echo.Rest(0, true)
		return echo.Open(l, fd, echo)
	}); err != nil {
		t.Fatal(err)
	}
	if err := simnet.Receive(t, done, "the client"); err != nil {
		t.Error(err)
	}
}
