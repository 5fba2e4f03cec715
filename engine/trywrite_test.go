// TryWrite's bound, and OnDrain when it is set after TryWrite has reported false.

package engine_test

import (
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// TestDrainAskedForLate: write until it says false, then ask once to be told (seed:
// 'drain'), again and again, each time with another function; also when nothing is left
// by then.
func TestDrainAskedForLate(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		if d.portable {
			return // it never says false
		}
		for _, late := range []bool{false, true} {
			const rounds = 3
			block := make([]byte, 64<<10)
			wrote, seen, done := make(chan int, rounds), make(chan struct{}), make(chan struct{})
			s := start(t, d, func(_ *engine.Request, res *engine.Response) {
				defer close(done)
				for range rounds {
					n := 1
					for {
						sent, err := res.TryWrite(block)
						if err != nil {
							t.Error(err)
							return
						}
						if !sent {
							break
						}
						n++
					}
					wrote <- n
					if late {
						<-seen
					}
					drained := make(chan struct{})
					var once sync.Once
					res.OnDrain(func() { once.Do(func() { close(drained) }) })
					simnet.Receive(t, drained, "OnDrain")
					if sent, err := res.TryWrite([]byte("+")); late && !sent || err != nil {
						t.Error(sent, err)
					}
				}
				if late {
					res.OnDrain(func() { t.Error("told of what was sent at once") })
				}
			})
			c := s.dial()
			c.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
			for b := byte(0); b != '\n'; {
				line := ""
				for b = 0; b != '\n'; {
					b = c.readN(1)[0]
					line += string(b)
				}
				if b = 0; line == "\r\n" {
					break
				}
			}
			for range rounds {
				n := simnet.Receive(t, wrote, "the handler") * len(block)
				if m, err := io.CopyN(io.Discard, c.in, int64(n)); err != nil {
					t.Fatal(m, err)
				}
				if late {
					seen <- struct{}{}
				}
				expectText(t, c, "+")
			}
			simnet.Receive(t, done, "the handler's end")
			_ = s.Close()
		}
	})
}

// TestTryWriteIsBounded: what could not be kept is not taken.
func TestTryWriteIsBounded(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		const most = 1 << 20
		big := make([]byte, 64<<20)
		type outcome struct {
			sent int
			errs []error
		}
		done := make(chan outcome, 1)
		s := start(t, d, func(_ *engine.Request, res *engine.Response) {
			var o outcome
			for _, n := range []int{len(big), most + 1} {
				_, err := res.TryWrite(big[:n])
				o.errs = append(o.errs, err)
			}
			for kept := false; !d.portable; { // until some are kept: the kernel may find room for more
				sent, err := res.TryWrite(big[:most])
				if err != nil {
					if o.errs = append(o.errs, err); !kept {
						t.Error("none was kept")
					}
					break
				}
				o.sent += most
				kept = kept || !sent
			}
			done <- o
		})
		c := s.dial()
		c.send(request("/"))
		o := simnet.Receive(t, done, "the handler")
		for _, err := range o.errs {
			if !errors.Is(err, engine.ErrFull) {
				t.Errorf("got %v instead of ErrFull", o.errs)
			}
		}
		if a := c.next(""); len(a.body) != o.sent {
			t.Errorf("got %d bytes of %d", len(a.body), o.sent)
		}
	})
}
