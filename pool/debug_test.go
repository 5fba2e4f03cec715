//go:build galedebug

package pool

// Each misuse that galedebug promises to find is committed here, and must panic with a
// message that says where.

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// mustPanic runs f and checks that it panics with every word of want.
func mustPanic(t *testing.T, f func(), want ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		msg := fmt.Sprint(recover())
		for _, w := range want {
			if !strings.Contains(msg, w) {
				t.Errorf("panic %q does not say %q", msg, w)
			}
		}
	}()
	f()
}

func TestDebugPoison(t *testing.T) {
	b := []byte("view of a message")
	Poison(b[:4])
	if string(b) != "\xDB\xDB\xDB\xDB of a message" {
		t.Errorf("Poison left %q", b)
	}
	if !Debug {
		t.Error("Debug is false with -tags galedebug")
	}
}

// A view that outlives its buffer shows poison.
func TestDebugViewAfterRelease(t *testing.T) {
	var l Local
	b := l.Get(512)
	view := b[:copy(b, "secret")]
	l.Put(b)
	if string(view) != "\xDB\xDB\xDB\xDB\xDB\xDB" {
		t.Errorf("the view shows %q after its release", view)
	}
}

func TestDebugWriteAfterRelease(t *testing.T) {
	for _, at := range []int{0, 100, 511} {
		var l Local
		b := l.Get(512)
		l.Put(b)
		b[at] = 'x'
		mustPanic(t, func() { l.Get(512) }, "written at offset "+fmt.Sprint(at), "TestDebugWriteAfterRelease", "debug_test.go")

		var s Shared
		b = s.Get(512)
		s.Put(b)
		b[at]++
		mustPanic(t, func() { s.Get(512) }, "written at offset", "debug_test.go")
	}
}

// Trim lets go of a buffer; a write before is found all the same.
func TestDebugWriteFoundByTrim(t *testing.T) {
	var l Local
	b := make([]byte, 512)
	l.Put(b)
	b[7] = 0
	l.Trim()
	mustPanic(t, l.Trim, "written at offset 7")

	var s Shared
	b = make([]byte, 512)
	s.Put(b)
	b[9] = 0
	s.Trim()
	mustPanic(t, s.Trim, "written at offset 9")
}

func TestDebugDoublePut(t *testing.T) {
	var l Local
	b := l.Get(1024)
	l.Put(b)
	mustPanic(t, func() { l.Put(b) }, "double release", "TestDebugDoublePut")
	mustPanic(t, func() { l.Put(b[:5]) }, "double release")
	if l.Held() != 1024 || l.Out() != 0 {
		t.Errorf("after the refused Put: Held() = %d, Out() = %d", l.Held(), l.Out())
	}
	var s Shared
	mustPanic(t, func() { s.Put(b) }, "double release")

	// Also when the first release let the buffer go.
	none := Local{Keep: -1}
	c := none.Get(512)
	none.Put(c)
	mustPanic(t, func() { none.Put(c) }, "double release")
}

// Get gives a released buffer a new life: it may be released again.
func TestDebugReuse(t *testing.T) {
	s := &Shared{}
	l := Local{Shared: s, Keep: 1024}
	for i := range 1000 {
		a, b := l.Get(1024), l.Get(1024)
		a[i], b[1023-i] = 1, 2
		l.Put(a)
		l.Put(b)
	}
}

func TestDebugStackDoublePush(t *testing.T) {
	s := NewStack(2)
	s.Push(1)
	mustPanic(t, func() { s.Push(1) }, "pushed while on the stack")
	s.Pop()
	s.Push(1)
}

func TestDebugBody(t *testing.T) {
	b := GetBody()
	b.WriteString("some bytes")
	view := b.Bytes()
	b.Release()
	if view[0] != poisonByte {
		t.Errorf("a view of a released body shows %q", view)
	}
	mustPanic(t, b.Release, "double release", "TestDebugBody")
	view[3] = 'x'
	// Body pools are per P and forget at will, so ask for this very body.
	mustPanic(t, func() { claimBody(b) }, "written at offset 3")
}

// The register keeps nothing alive and forgets what was collected.
func TestDebugRegisterSweeps(t *testing.T) {
	none := Local{Keep: -1}
	for range 5000 {
		none.Put(make([]byte, 512))
		if len(deadBuffers.sites)%512 == 0 {
			runtime.GC()
		}
	}
	if n := len(deadBuffers.sites); n > 4000 {
		t.Errorf("the register has %d entries after 5000 buffers were dropped", n)
	}
}
