//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// How streams end, where only the end tells that all was sent.

package loop

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
	"github.com/gale-http/gale/internal/sys"
)

// The peer of TLS gets the close_notify, however little room there is for it.
func TestFarewellWaits(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	filled, done := make(chan *task, 1), make(chan error, 1)
	sent := 0
	c, _ := secured(t, g.Next(), 0, func(_ *Worker, k *task) {
		piece := make([]byte, 16<<10)
		if n, _ := k.TryRead(piece); n == 0 {
			k.Rest(0, false)
			return
		}
		k.SetIncomplete(true)
		for {
			n, err := k.TryWrite(piece)
			if sent += n; n == 0 || err != nil {
				break
			}
		}
		sent += k.transport.wire.owed // it has been put into a record
		filled <- k
		done <- k.FinishUntilClose()
		k.Close()
	})
	_, client := configs(t)
	client.InsecureSkipVerify = true
	c = tls.Client(DetectTruncation(c.NetConn()), client)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	k := simnet.Receive(t, filled, "the socket to be full")
	simnet.Eventually(t, "the farewell to wait", func() bool { who := k.output.Load(); return who != nil && who != ready })
	if got, err := io.Copy(io.Discard, c); err != nil || got != int64(sent) {
		t.Errorf("%d bytes came of %d, %v", got, sent, err)
	}
	if err := simnet.Receive(t, done, "the farewell"); err != nil {
		t.Error(err)
	}
}

// A stream that is cut while its message is incomplete is reset, whoever cuts it; otherwise it ends with a FIN.
func TestUnendedStreamsAreReset(t *testing.T) {
	g := newGroup(t, Config{Loops: 1})
	for name, end := range map[string]func(k *task){
		"Close":                  func(k *task) { k.Close() },
		"HalfClose and Close":    func(k *task) { k.HalfClose(); k.Close() },
		"Cut and Close":          func(k *task) { k.Cut(); k.Close() },
		"Close of a Conn it has": func(k *task) { _ = NewConn(&k.Stream).Close(); k.Close() },
	} {
		for _, unended := range []bool{true, false} {
			k := new(task)
			k.serve = func(*Worker) {
				k.SetIncomplete(true)
				if _, err := k.Write([]byte("some")); err != nil {
					t.Error(err)
				}
				k.SetIncomplete(unended)
				end(k)
			}
			peer := openTCP(t, g.Next(), k)
			onLoop(t, g.Next(), func(*Loop) error { k.Rest(0, true); return nil })
			got, err := io.ReadAll(peer)
			if string(got) != "some" || errors.Is(err, syscall.ECONNRESET) != unended {
				t.Errorf("%s, unended: %v: got %q, %v", name, unended, got, err)
			}
		}
	}
}

// openTCP is open with a connection over TCP.
func openTCP(t *testing.T, l *Loop, k *task) net.Conn {
	t.Helper()
	peer, c := simnet.Pair(t)
	f, err := c.File()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	fd, err := sys.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := sys.SetNonblock(fd); err != nil {
		t.Fatal(err)
	}
	if err := onLoop(t, l, func(l *Loop) error { return k.Open(l, fd, k) }); err != nil {
		t.Fatal(err)
	}
	return peer
}
