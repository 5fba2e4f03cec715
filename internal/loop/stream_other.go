//go:build !linux

// Streams where gale has no poller: always over a net.Conn.

package loop

import (
	"errors"
	"net"

	"github.com/gale-http/gale/internal/sys"
)

const (
	inputBits  = 1
	outputBits = 2
	errorBits  = 4
	hangUpBits = 8
)

func (s *Stream) token() uint64 { return uint64(s.gen)<<32 | uint64(s.index) }

// Wake notes what the poller said when the stream was at rest.
func (s *Stream) Wake(uint32) {}

// TryRead reads what there is; a stream over a net.Conn cannot tell and reports
// an error.
func (s *Stream) TryRead([]byte) (int, error) { return 0, errors.ErrUnsupported }

// TryWrite hands over what the kernel takes now; a stream over a net.Conn cannot
// tell and reports an error.
func (s *Stream) TryWrite([]byte) (int, error) { return 0, errors.ErrUnsupported }

func (s *Stream) tryWriteThree(a, b, c []byte) (int, error) { return 0, errors.ErrUnsupported }

func (s *Stream) armOutput() error { return nil }

func (s *Stream) cut() {}

// localAddr returns the address of this end.
func (s *Stream) localAddr() net.Addr { return s.conn.LocalAddr() }

// remoteAddr returns the address of the peer.
func (s *Stream) remoteAddr() net.Addr { return s.conn.RemoteAddr() }

func (s *Stream) closeFD() {}

// Connect makes s a stream of the worker's own, connected to addr. timeout is in
// milliseconds; 0 is for ever.
func (s *Stream) Connect(w *Worker, addr sys.Addr, timeout int64) error {
	return s.dial(w, addr, timeout)
}

// HalfClose tells the peer that nothing more will be sent.
func (s *Stream) HalfClose() { s.halfCloseConn() }
