// Noticing that a peer has hung up when the poller cannot tell: a loop stands still while a handler
// computes, and the portable driver has no poller.

package loop

import (
	"errors"
	"io"
	"net"

	"github.com/gale-http/gale/internal/sys"
)

// LookHungUp is HungUp, but asks the kernel if the worker that serves s calls it from user code and
// holds its loop, which then has no time to look. Any goroutine may call it.
func (s *Stream) LookHungUp() bool {
	if w := s.caller(); w != nil && w.held != 0 && !s.portable && !s.HungUp() && sys.PeerClosed(int(s.fd)) {
		s.signs.Or(signHangUp)
	}
	return s.HungUp()
}

// Vigil is a read in the background, in the portable driver, while nobody else reads: nothing else
// would tell that the peer has gone.
type Vigil struct {
	stream *Stream
	byte   [1]byte
	n      int
	done   chan struct{}
}

// KeepVigil begins a Vigil over s. Nobody may read s until its End.
func (s *Stream) KeepVigil() *Vigil {
	v := &Vigil{stream: s, done: make(chan struct{})}
	_ = s.above.conn.SetReadDeadline(noDeadline)
	go v.keep()
	return v
}

func (v *Vigil) keep() {
	defer close(v.done)
	s, err := v.stream, error(nil)
	for v.n == 0 && err == nil {
		v.n, err = s.above.top().Read(v.byte[:])
	}
	if v.n > 0 || errors.Is(err, net.ErrClosed) || s.connError(err, &s.input) == ErrTimeout {
		return
	}
	news := uint32(signHangUp)
	if err != io.EOF && err != errTorn {
		news |= signBroken
	}
	s.signs.Or(news)
	s.task.HangUp()
}

// End ends the vigil, waits until its goroutine is done, and returns what that has read: a byte, or
// none.
func (v *Vigil) End() []byte {
	_ = v.stream.above.conn.SetReadDeadline(past)
	<-v.done
	_ = v.stream.above.conn.SetReadDeadline(noDeadline)
	return v.byte[:v.n]
}
