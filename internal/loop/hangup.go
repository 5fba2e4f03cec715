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

// PeerWatch is a read in the background, in the portable driver, while nobody else reads: nothing else
// would tell that the peer has gone.
type PeerWatch struct {
	stream *Stream
	byte   [1]byte
	n      int
	done   chan struct{}
}

// WatchPeer begins a PeerWatch over s. Nobody may read s until its End.
func (s *Stream) WatchPeer() *PeerWatch {
	p := &PeerWatch{stream: s, done: make(chan struct{})}
	_ = s.transport.conn.SetReadDeadline(noDeadline)
	go p.run()
	return p
}

func (p *PeerWatch) run() {
	defer close(p.done)
	s, err := p.stream, error(nil)
	for p.n == 0 && err == nil {
		p.n, err = s.transport.top().Read(p.byte[:])
	}
	if p.n > 0 || errors.Is(err, net.ErrClosed) || s.connError(err, &s.input) == ErrTimeout {
		return
	}
	news := uint32(signHangUp)
	if err != io.EOF && err != errTruncated {
		news |= signBroken
	}
	s.signs.Or(news)
	s.task.HangUp()
}

// End ends the watch, waits until its goroutine is done, and returns what that has read: a byte, or
// none.
func (p *PeerWatch) End() []byte {
	_ = p.stream.transport.conn.SetReadDeadline(past)
	<-p.done
	_ = p.stream.transport.conn.SetReadDeadline(noDeadline)
	return p.byte[:p.n]
}
