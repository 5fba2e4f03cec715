// Sockets that were lent to an event, and goroutines that it has left inside Read or Write.

package engine_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestLoanEndsWithItsEvent: a goroutine that an event has left inside Read is sent away before the
// server reads the connection itself.
func TestLoanEndsWithItsEvent(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		ended := make(chan error, 1)
		s.On.Connection = func(socket *engine.Socket) {
			begun := make(chan struct{})
			go func() {
				var b [1]byte
				_, err := socket.Read(b[:]) // what comes first
				close(begun)
				for err == nil {
					_, err = socket.Read(b[:])
				}
				ended <- err
			}()
			<-begun
		}
		s.listen()
		for range 20 {
			c := s.dial()
			c.send("x")
			// Had it not ended, it would now wait for the request, or take some of it.
			if err := simnet.Receive(t, ended, "the Read to end"); !errors.Is(err, engine.ErrOver) && !errors.Is(err, engine.ErrAttached) {
				t.Error(err)
			}
			c.get("/", "hello")
		}
	})
}

// TestLoanEndsWithAWrite is the same for a Write that waits because the client does not read; what
// it has sent by then spoils the connection, which is closed after the event.
func TestLoanEndsWithAWrite(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		ended := make(chan error, 1)
		s.On.ClientError = func(_ error, socket *engine.Socket) {
			begun := make(chan struct{})
			go func() {
				_, err := socket.Write([]byte("x"))
				close(begun)
				for p := make([]byte, 1<<20); err == nil; {
					_, err = socket.Write(p)
				}
				ended <- err
			}()
			<-begun
		}
		s.listen()
		c := s.dial()
		c.send("nonsense\r\n\r\n")
		if err := simnet.Receive(t, ended, "the Write to end"); err == nil {
			t.Error("it ended without an error")
		}
		_ = c.Close()
	})
}

// TestLoansFollowEachOther: goroutines that one event has left behind meet the next one.
func TestLoansFollowEachOther(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // a Read that waits for that long calls the event itself there
		}
		s := prepare(t, d, hello)
		s.Timeouts.Idle = time.Millisecond
		var all sync.WaitGroup
		events, enough := 0, make(chan bool)
		s.On.Timeout = func(socket *engine.Socket) {
			if events++; events >= 50 {
				if events == 50 {
					close(enough)
				}
				return
			}
			for range 4 {
				all.Go(func() {
					var b [1]byte
					if _, err := socket.Read(b[:]); err == nil {
						t.Error("it has read something")
					}
				})
			}
		}
		s.listen()
		c := s.dial()
		simnet.Receive(t, enough, "the events")
		_ = c.Close()
		all.Wait()
	})
}
