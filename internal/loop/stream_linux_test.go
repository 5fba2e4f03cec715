// Streams over sockets: reading, writing, waiting, accepting, connecting.

package loop

import (
	"io"
	"net"
	"testing"
)

// end ends what Serve began when its user code has run: the stream is closed by
// whoever owns it now.
func (k *task) end(w *Worker) {
	if w.End() {
		k.Close()
		return
	}
	k.Return(func() { k.Close() })
}

// A handler may read while a goroutine of its own writes.
func TestBothSidesAtOnce(t *testing.T) {
	const size = 4 << 20
	g := newGroup(t, Config{Loops: 1})
	k, done := &task{}, make(chan error, 1)
	k.serve = func(w *Worker) {
		w.Begin(&k.Stream)
		defer k.end(w)
		wrote := make(chan error, 1)
		go func() {
			p := make([]byte, 64<<10)
			for range size / len(p) {
				if _, err := k.Write(p); err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		read, p := 0, make([]byte, 64<<10)
		for read < size {
			n, err := k.Read(p)
			if read += n; err != nil {
				done <- err
				return
			}
		}
		done <- <-wrote
	}
	peer := open(t, g.Next(), k)
	copied := make(chan error, 2)
	go func() {
		_, err := peer.Write(make([]byte, size))
		copied <- err
	}()
	go func() {
		_, err := io.CopyN(io.Discard, net.Conn(peer), size)
		copied <- err
	}()
	for _, ch := range []chan error{copied, copied, done} {
		if err := receive(t, ch, "both sides to be done"); err != nil {
			t.Error(err)
		}
	}
}
