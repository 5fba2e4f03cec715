// What the tests of this package share: groups that must end and leave nothing behind.

package loop

import (
	"net"
	"runtime"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// newGroup returns a running group that is stopped at the end of the test, when
// every goroutine and descriptor of it must be gone.
func newGroup(t *testing.T, config Config) *Group {
	t.Helper()
	g := idleGroup(t, config)
	g.Start()
	return g
}

// newCalmGroup is newGroup without its watchdog: a handler loses its loop when the test
// takes it away (takeAway), and not because the machine has kept it from running.
func newCalmGroup(t *testing.T, config Config) *Group {
	t.Helper()
	g := idleGroup(t, config)
	g.watchdog.stop.Store(true)
	g.Start()
	return g
}

// idleGroup is newGroup before its Start.
func idleGroup(t *testing.T, config Config) *Group {
	t.Helper()
	checkLeaks(t)
	g, err := NewGroup(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopGroup(t, g) })
	return g
}

// stopGroup stops g, which must not take for ever.
func stopGroup(t *testing.T, g *Group) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.Stop()
	}()
	simnet.Receive(t, done, "Stop to return")
}

// checkLeaks fails the test if it ends with more goroutines or descriptors than there are now. Call
// it before anything else that cleans up.
func checkLeaks(t *testing.T) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFiles()
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		simnet.Eventually(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= goroutines })
		// One that was ending already when they were counted may hide one that has still to end.
		simnet.Eventually(t, "the descriptors to be closed", func() bool { return openFiles() <= files })
	})
}

// onLoop runs fn on the loop and returns what it returned.
func onLoop[T any](t *testing.T, l *Loop, fn func(*Loop) T) T {
	t.Helper()
	result := make(chan T, 1)
	if !l.Post(func(l *Loop) { result <- fn(l) }) {
		t.Fatal("the loop has ended")
	}
	return simnet.Receive(t, result, "the loop to run a message")
}

// send writes to a peer that must take everything at once.
func send(t *testing.T, c net.Conn, p string) {
	t.Helper()
	if _, err := c.Write([]byte(p)); err != nil {
		t.Fatal(err)
	}
}
