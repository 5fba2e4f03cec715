//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Giving way: a worker that has written much without a wait lets others run before it writes more.

package loop

import (
	"fmt"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// The write that reaches the limit ends at once; the next one gives way first.
func TestGivesWayBeforeTheNextWrite(t *testing.T) {
	x := []byte("x")
	for i, write := range []func(k *task) (int, error){
		func(k *task) (int, error) { return k.Write(x) },
		func(k *task) (int, error) { return k.TryWrite(x) },
		func(k *task) (int, error) { return k.WriteThree(x, nil, nil) },
		func(k *task) (int, error) { return k.TryWriteThree(nil, x, nil) },
		func(k *task) (int, error) { return k.WriteMore(x) },
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			g := newGroup(t, Config{Loops: 1})
			l, k := g.Next(), &task{}
			done := make(chan error, 1)
			k.serve = func(w *Worker) {
				defer k.Close()
				w.waited, k.movedOut = false, giveWayBytes-1
				for want := range 3 { // the second gives way, the third counts from 0 again
					if n, err := write(k); n != 1 || err != nil {
						done <- fmt.Errorf("%d bytes, %v", n, err)
						return
					}
					if w.waited != (want == 1) {
						done <- fmt.Errorf("write %d: it gave way: %v", want, w.waited)
						return
					}
					w.waited = false
				}
				done <- nil
			}
			peer := open(t, l, k)
			if _, err := peer.Write(x); err != nil {
				t.Fatal(err)
			}
			if err := simnet.Receive(t, done, "the task"); err != nil {
				t.Error(err)
			}
		})
	}
}
