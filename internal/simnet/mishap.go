// What user code may do although it should not.

package simnet

import (
	"maps"
	"runtime"
	"testing"
	"time"
)

// mishaps are what Mishaps returns.
var mishaps = map[string]func(blocks func()){
	"panics":             func(func()) { panic("mishap") },
	"exits":              func(func()) { runtime.Goexit() },
	"locks":              func(func()) { runtime.LockOSThread() },
	"is late":            func(blocks func()) { blocks() },
	"is late and panics": func(blocks func()) { blocks(); panic("mishap") },
	"is late and exits":  func(blocks func()) { blocks(); runtime.Goexit() },
	"locks and is late":  func(blocks func()) { runtime.LockOSThread(); blocks() },
	"locks and exits":    func(func()) { runtime.LockOSThread(); runtime.Goexit() },
	"recurses":           func(func()) { Deep(50_000, runtime.GC) },
	"blocks for 50 ms":   func(func()) { <-time.After(50 * time.Millisecond) },
	"changes GOMAXPROCS": func(blocks func()) {
		runtime.GOMAXPROCS(1)
		blocks()
		for n := range 5 {
			runtime.GOMAXPROCS(5 - n)
		}
	},
}

// Mishaps returns such functions by what they do; the caller may add to the map. blocks is called
// where one of them takes its time, and returns when the test has seen that others are served.
func Mishaps() map[string]func(blocks func()) { return maps.Clone(mishaps) }

// KeepProcs restores GOMAXPROCS at the end of the test.
func KeepProcs(t testing.TB) {
	n := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(n) })
}

// Deep recurses n frames down, and calls there at the bottom.
func Deep(n int, there func()) int {
	var frame [128]byte
	if n == 0 {
		there()
		return 0
	}
	frame[n%len(frame)] = byte(n)
	return Deep(n-1, there) + int(frame[n%len(frame)])&1
}
