// Waiting: true of a goroutine that waits, whatever for, and of no other.

package sys

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

func TestWaiting(t *testing.T) {
	if !FastG {
		if Waiting(G()) {
			t.Error("what nobody can know is told")
		}
		return
	}
	var mu sync.Mutex
	cond, group, ch := sync.NewCond(&mu), new(sync.WaitGroup), make(chan struct{})
	in, out := net.Pipe()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	group.Add(1)
	mu.Lock()
	var released atomic.Bool
	for _, c := range []struct {
		what string
		wait func()
		end  func()
	}{
		{"a channel", func() { <-ch }, func() { close(ch) }},
		{"several channels", func() {
			select {
			case <-ch:
			case <-time.After(time.Hour):
			}
		}, func() {}},
		{"a mutex", func() { mu.Lock(); mu.Unlock() }, mu.Unlock},
		{"a condition", func() {
			mu.Lock()
			for !released.Load() {
				cond.Wait()
			}
			mu.Unlock()
		}, func() { mu.Lock(); released.Store(true); mu.Unlock(); cond.Broadcast() }},
		{"others", group.Wait, group.Done},
		{"a pipe", func() { _, _ = in.Read(make([]byte, 1)) }, func() { _ = out.Close() }},
		{"a connection", func() { _, _ = l.Accept() }, func() { _ = l.Close() }},
	} {
		if c.what == "several channels" {
			ch = make(chan struct{})
		}
		var g atomic.Uintptr
		var stop atomic.Bool
		done := make(chan struct{})
		wait := c.wait
		go func() {
			g.Store(G())
			for !stop.Load() { // running
			}
			wait()
			stop.Store(false)
			for !stop.Load() {
			}
			close(done)
		}()
		simnet.Eventually(t, "a goroutine", func() bool { return g.Load() != 0 })
		for range 1000 {
			if Waiting(g.Load()) {
				t.Fatalf("%s: it runs", c.what)
			}
		}
		stop.Store(true)
		simnet.Eventually(t, "it to wait for "+c.what, func() bool { return Waiting(g.Load()) })
		c.end()
		if c.what == "several channels" {
			close(ch)
		}
		simnet.Eventually(t, "it to go on", func() bool { return !stop.Load() })
		for range 1000 {
			if Waiting(g.Load()) {
				t.Fatalf("%s: it runs again", c.what)
			}
		}
		stop.Store(true)
		<-done
	}
}
