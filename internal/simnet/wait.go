// Waiting in tests: for a channel, and for what no event announces. Neither lasts for ever.

package simnet

import (
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// Patience bounds every wait of a test. On a healthy machine no wait comes near it.
const Patience = 30 * time.Second

// Receive receives from c. It fails the test, with the stacks of all goroutines, when nothing comes;
// what names what was waited for. A closed channel gives its zero value.
func Receive[T any](t testing.TB, c <-chan T, what string) T {
	t.Helper()
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		t.Fatalf("waited %v in vain for %s\n%s", Patience, what, Stacks())
		panic("unreachable")
	}
}

// Eventually waits until is returns true, and fails the test as Receive does. It polls, so it is for
// conditions that no event announces.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	if !Becomes(is) {
		t.Fatalf("waited %v in vain for %s\n%s", Patience, what, Stacks())
	}
}

// Becomes is Eventually for callers that have a better way to fail: it reports whether is has
// returned true.
func Becomes(is func() bool) bool {
	end := time.Now().Add(Patience)
	for pause := time.Microsecond; !is(); pause = min(2*pause, time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(pause) // sleep: polls what tells nobody
	}
	return true
}

// Stacks returns the stacks of all goroutines.
func Stacks() string {
	var text strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1)
	return text.String()
}
