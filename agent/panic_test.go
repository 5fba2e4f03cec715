// Panics in functions of the application: what the error of the call says.

package agent_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// TestPanicErrors: the text is one line that tells what has panicked, with what, and where; the
// stack is in the error.
func TestPanicErrors(t *testing.T) {
	simnet.KeepProcs(t)
	for i := range spots {
		p := &spots[i]
		if !p.aside && p.name != "trailers of Source" && p.name != "WroteRequest, of a Source" {
			continue // the caller gets the panic itself
		}
		t.Run(p.name, func(t *testing.T) {
			h := newHazard(t, p, 0)
			boom := func() { panic(io.ErrClosedPipe) }
			lines := func() { panic("two\nlines") }
			for _, do := range []*func(){&boom, &lines} {
				h.agent.CloseFreeSockets()
				h.armed.Store(do)
				err := wait(t, h.run(p, false, t.Context()), "the call")
				var e *agent.PanicError
				if !errors.As(err, &e) {
					t.Fatal(err)
				}
				text := err.Error()
				if strings.Contains(text, "\n") || !strings.Contains(text, "panic in "+e.In+": ") || !strings.Contains(text, "panic_test.go:") ||
					!strings.Contains(string(e.Stack), "TestPanicErrors") {
					t.Errorf("%q\n%s", text, e.Stack)
				}
				if do == &boom && (!errors.Is(err, io.ErrClosedPipe) || !strings.Contains(text, io.ErrClosedPipe.Error())) ||
					do == &lines && (e.Value != "two\nlines" || !strings.Contains(text, `"two\nlines"`)) {
					t.Errorf("%q, value %v", text, e.Value)
				}
			}
		})
	}
}

// TestPanicOfTheRuntime: what the runtime says of a fault is an error that can be asked for.
func TestPanicOfTheRuntime(t *testing.T) {
	p := &spots[0]
	h := newHazard(t, p, 0)
	var p0 *int
	fault := func() { *p0 = 1 }
	h.armed.Store(&fault)
	err := wait(t, h.run(p, false, t.Context()), "the call")
	if !errors.As(err, new(runtime.Error)) || !strings.Contains(err.Error(), "panic_test.go:") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
}
