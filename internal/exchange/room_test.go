// Rooms: who gets one, for how long, and what becomes of a body without.

package exchange

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// upload makes fn read a body of n bytes over a socket on a loop. The peer sends the first of them
// together with the head, and the rest when it is told to, or, when that channel is closed, never.
func upload(t *testing.T, n, first int, more <-chan bool, fn func(in *Incoming)) {
	t.Helper()
	g, err := loop.NewGroup(loop.Config{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	g.Start()
	defer g.Stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		peer, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer peer.Close()
		_, _ = fmt.Fprintf(peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", n, letters(n)[:first])
		if <-more {
			_, _ = peer.Write(letters(n)[first:])
			<-done
		}
	}()
	at := l.Addr().(*net.TCPAddr).AddrPort()
	g.Next().Go(func(w *loop.Worker) {
		defer close(done)
		var s loop.Stream
		if err := s.Connect(w, sys.Addr{IP: at}, 10_000); err != nil {
			t.Error(err)
			return
		}
		defer s.Close()
		s.ReadTimeout = 10_000
		var c h1.Conn
		in := &Incoming{Limits: &h1.Limits{}}
		in.Attach(&s, &c, nil)
		for {
			if ev, err := in.Next(); ev == h1.HeadDone || err != nil {
				break
			}
			_, err := in.Fill()
			if err = cmp.Or(err, s.WaitInput()); err != nil {
				t.Error(err)
				return
			}
		}
		fn(in)
		in.Discard()
	})
	<-done
}

// letters returns n bytes of which no two pieces are the same.
func letters(n int) []byte {
	b := make([]byte, 0, n+8)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "%x.", i)
	}
	return b[:n]
}

// pieces notes what is written, and calls then with each piece.
type pieces struct {
	bytes.Buffer
	largest int
	then    func(soFar int) error
}

func (p *pieces) Write(b []byte) (int, error) {
	p.largest = max(p.largest, len(b))
	n, _ := p.Buffer.Write(b)
	return n, p.then(p.Len())
}

func TestRooms(t *testing.T) {
	if !loop.HavePoller {
		return // there are none
	}
	const n, first = 2 << 20, 60 << 10
	now := func() <-chan bool {
		c := make(chan bool, 1)
		c <- true
		return c
	}
	whole := func(t *testing.T, p *pieces, in *Incoming, got int64, err error) {
		t.Helper()
		if err != nil || got != n || !bytes.Equal(p.Bytes(), letters(n)) || !in.Done() {
			t.Errorf("%d bytes, %v, done %v", got, err, in.Done())
		}
		free(t)
	}

	t.Run("while nothing comes", func(t *testing.T) {
		more := make(chan bool, 1)
		var p pieces
		upload(t, n, first, more, func(in *Incoming) {
			p.then = func(soFar int) error {
				if soFar == first {
					in.Stream.Loop().Post(func(*loop.Loop) { // when this worker waits
						free(t)
						more <- true
					})
				}
				return nil
			}
			got, err := in.WriteTo(&p)
			whole(t, &p, in, got, err)
		})
		if p.largest <= largeSize {
			t.Errorf("no piece had more than %d bytes", p.largest)
		}
	})

	t.Run("none free", func(t *testing.T) {
		var taken []*room
		for r := takeRoom(); r != nil; r = takeRoom() {
			taken = append(taken, r)
		}
		p := pieces{then: func(soFar int) error {
			if soFar > n/2 {
				for _, r := range taken {
					r.giveBack()
				}
				taken = nil
			} else if len(taken) != int(roomsMost) {
				t.Errorf("there are %d", len(taken))
			}
			return nil
		}}
		upload(t, n, first, now(), func(in *Incoming) {
			got, err := in.WriteTo(&p)
			whole(t, &p, in, got, err)
		})
	})

	t.Run("a writer that fails", func(t *testing.T) {
		upload(t, n, first, now(), func(in *Incoming) {
			_, err := in.WriteTo(&pieces{then: func(int) error { return io.ErrShortBuffer }})
			is(t, err, io.ErrShortBuffer)
			free(t)
			var p pieces
			p.then = func(int) error { return nil }
			_, err = in.WriteTo(&p)
			is(t, err, nil)
			if !bytes.HasSuffix(letters(n), p.Bytes()) || p.Len() < n/2 {
				t.Errorf("%d bytes were left, or others", p.Len())
			}
		})
	})

	t.Run("a writer that panics", func(t *testing.T) {
		upload(t, n, first, now(), func(in *Incoming) {
			func() {
				defer func() { _ = recover() }()
				_, _ = in.WriteTo(&pieces{then: func(soFar int) error {
					if soFar > first/2 { // in a room
						panic("enough")
					}
					return nil
				}})
			}()
			free(t)
		})
	})

	t.Run("cut short", func(t *testing.T) {
		more := make(chan bool)
		close(more)
		upload(t, n, first, more, func(in *Incoming) {
			p := pieces{then: func(int) error { return nil }}
			got, err := in.WriteTo(&p)
			if got != first || !errors.Is(err, h1.ErrUnexpectedEOF) {
				t.Errorf("%d bytes, %v", got, err)
			}
			free(t)
		})
	})
}

// free checks that no room is lent.
func free(t *testing.T) {
	t.Helper()
	if n := roomsLent.Load(); n != 0 {
		t.Errorf("%d rooms are lent", n)
	}
}
