//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// The last bytes of a stream and its end.

package loop

import (
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// A slow peer gets all of the last bytes, and then the end, before the stream is closed. A peer
// that is too slow gets no end: it would take what it has for everything.
func TestWriteEnd(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	l := g.Next()
	const size = 4 << 20
	for _, secure := range []bool{false, true} {
		for _, tooSlow := range []bool{false, true} {
			var k *task
			type result struct {
				n   int
				err error
			}
			ended := make(chan result, 1)
			last := func(_ *Worker, s *task) {
				k = s
				var b [8]byte
				if n, _ := s.TryRead(b[:]); n == 0 {
					s.Rest(0, false) // nobody has asked yet
					return
				}
				if s.WriteTimeout = int32(simnet.Patience / time.Millisecond); tooSlow {
					s.WriteTimeout = 20
				}
				n, err := s.WriteEnd(make([]byte, size))
				ended <- result{n, err}
				s.Rest(0, false)
			}
			var c net.Conn
			if secure {
				tls, shaken := secured(t, l, 0, last)
				c = tls
				if err := tls.Handshake(); err != nil || simnet.Receive(t, shaken, "the handshake") != nil {
					t.Fatal(err)
				}
			} else {
				s := &task{}
				s.serve = func(w *Worker) { last(w, s) }
				c = open(t, l, s)
			}
			_ = c.SetDeadline(time.Now().Add(simnet.Patience))
			send(t, c, "go")
			if !tooSlow {
				got, err := io.ReadAll(c)
				if r := simnet.Receive(t, ended, "the end"); r.n != size || r.err != nil || err != nil || !bytes.Equal(got, make([]byte, size)) {
					t.Errorf("secure %v: %d, %v, and %d bytes, %v came", secure, r.n, r.err, len(got), err)
				}
			} else {
				if r := simnet.Receive(t, ended, "the time-out"); r.err != ErrTimeout {
					t.Errorf("secure %v: %d, %v", secure, r.n, r.err)
				}
				_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
				if got, err := io.ReadAll(c); len(got) == size || !os.IsTimeout(err) {
					t.Errorf("secure %v: %d bytes and then %v", secure, len(got), err)
				}
			}
			onLoop(t, l, func(*Loop) any { k.Close(); return nil })
		}
	}
}
