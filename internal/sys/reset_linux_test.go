// Resets, against package net as the peer.

package sys

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/gale-http/gale/internal/simnet"
)

// Reset tells the peer at once, and leaves the descriptor to its owner; a socket that has no resets
// is shut down.
func TestReset(t *testing.T) {
	peer, c := simnet.Pair(t)
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = c.Write([]byte("some"))
	_ = raw.Control(func(fd uintptr) {
		Reset(int(fd))
		if n, e := Recv(int(fd), make([]byte, 1)); n > 0 || e == EAGAIN {
			t.Errorf("reading after it: %d, %v", n, e)
		}
		if _, e := Send(int(fd), []byte("x")); e != syscall.EPIPE {
			t.Errorf("sending after it: %v", e)
		}
	})
	got, err := io.ReadAll(peer)
	if string(got) != "some" || !errors.Is(err, ECONNRESET) {
		t.Errorf("the peer got %q, %v", got, err)
	}
	a, b := pair(t)
	Reset(a)
	if n, e := Recv(b, make([]byte, 1)); n != 0 || e != 0 {
		t.Errorf("the peer of a Unix socket got %d, %v", n, e)
	}
}
