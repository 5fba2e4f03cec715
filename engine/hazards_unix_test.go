//go:build unix

// A handler in a system call, where a descriptor is a number.

package engine_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestBlockingSystemCall: a handler in a system call that does not return for long.
func TestBlockingSystemCall(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		fd := int(r.Fd()) // blocking from now on
		blocked := make(chan struct{})
		s := start(t, d, routes(map[string]engine.Handler{"/read": func(_ *engine.Request, res *engine.Response) {
			close(blocked)
			var p [8]byte
			n, _ := syscall.Read(fd, p[:])
			_ = res.End(p[:n])
		}}))
		c, other := s.dial(), s.dial()
		c.send(request("/read"))
		simnet.Receive(t, blocked, "the handler")
		for range 5 {
			other.get("/", "hello")
		}
		_, _ = w.WriteString("piped")
		c.expect(200, "piped")
	})
}
