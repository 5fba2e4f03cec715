// What kqueue reports, in the terms of epoll.

package sys

import "testing"

func TestReadiness(t *testing.T) {
	for _, c := range []struct {
		what                string
		output, eof, failed bool
		want                uint32
	}{
		{"there is input", false, false, false, In},
		{"the peer has sent its last", false, true, false, In | PeerGone},
		{"a reset", false, true, true, In | PeerGone | Err},
		{"there is room", true, false, false, Out},
		{"we have sent our last, and the peer is there", true, true, false, Out},
		{"a reset, to a writer", true, true, true, Out | Err},
		// fflags without EV_EOF is of other filters, or a low-water mark's.
		{"no error", false, false, true, In},
	} {
		if got := readiness(c.output, c.eof, c.failed); got != c.want {
			t.Errorf("%s: bits %b, want %b", c.what, got, c.want)
		}
	}
}
