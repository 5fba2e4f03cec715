// Streams over a descriptor of the loop's poller.

package loop

import (
	"io"
	"net"
	"time"

	"github.com/gale-http/gale/internal/sys"
)

const (
	inputBits  = sys.In
	outputBits = sys.Out
	errorBits  = sys.Hup | sys.Err
	hangUpBits = sys.PeerGone | sys.Hup | sys.Err
)

func (s *Stream) token() uint64 { return uint64(s.gen)<<32 | uint64(s.index) }

// Open gives the loop a connected socket, at rest, to serve for task. The loop
// must be held. From then on fd belongs to the stream, unless Open fails.
func (s *Stream) Open(l *Loop, fd int, task Task) error {
	return s.open(l, fd, task, l.poller.add)
}

// OpenUnregistered is Open for a socket that probably has input: it is to be served soon, and is
// registered with the poller only when something has to be waited for. Many connections that bring
// one request never are.
func (s *Stream) OpenUnregistered(l *Loop, fd int, task Task) error {
	err := s.open(l, fd, task, func(int, uint64) error { return nil })
	s.signs.Or(signUnregistered)
	return err
}

// register registers with the poller a stream opened by OpenUnregistered. Whoever may wait for the
// stream may call it, from any goroutine. When that fails, so does the stream.
func (s *Stream) register() {
	if s.signs.And(^uint32(signUnregistered))&signUnregistered == 0 {
		return // someone else does
	}
	if s.loop.poller.add(int(s.fd), s.token()) != nil {
		s.signs.Or(signFailed)
		s.wakeFromOutside(&s.input)
		s.wakeFromOutside(&s.output)
	}
}

func (s *Stream) open(l *Loop, fd int, task Task, register func(int, uint64) error) error {
	if l.stopping {
		return ErrClosed
	}
	s.reset()
	s.task, s.loop, s.fd, s.state = task, l, int32(fd), atRest
	if err := register(fd, l.streams.add(s)); err != nil {
		l.streams.remove(s)
		s.state = closed
		return err
	}
	return nil
}

// NoteEvents notes what the poller reported while the stream was at rest, so that the next read asks the
// kernel again. Serve calls it first.
func (s *Stream) NoteEvents(bits uint32) {
	s.drained = false
	if bits&hangUpBits != 0 {
		s.signs.Or(signHangUp)
	}
	if bits&errorBits != 0 {
		s.signs.Or(signBroken)
	}
}

// ReadFirst is TryRead for a stream that has just been woken. It is for streams over a descriptor
// only; see Raw.
func (s *Stream) ReadFirst(p []byte) (int, error) {
	n, e := sys.Recv(int(s.fd), p)
	if e == 0 && n > 0 && n < len(p) && s.signs.Load()&signHangUp == 0 {
		s.drained = true // see received
		s.movedIn += uint32(n)
		return n, nil
	}
	return s.received(len(p), n, e)
}

// TryReadLent is TryRead into memory that others may want too, so it does not give way; HasRead
// must be called when the memory is free again. It is for streams over a descriptor only; see
// Raw.
func (s *Stream) TryReadLent(p []byte) (int, error) {
	for !s.drained {
		n, e := sys.Recv(int(s.fd), p)
		if e == 0 && n > 0 {
			s.drained = n < len(p) && !s.HungUp() // see received
			return n, nil
		}
		if _, err := s.received(len(p), n, e); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// HasRead gives way when enough was read, with the n bytes that TryReadLent has read just now.
func (s *Stream) HasRead(n int) { s.account(n) }

// received turns n and e, the results of a receive of up to most bytes, into those of a read.
func (s *Stream) received(most, n int, e sys.Errno) (int, error) {
	switch {
	case n <= 0 && e != sys.EAGAIN && e != sys.EINTR && s.Failed():
		return 0, ErrClosed // it was cut on our side, not by the peer
	case e == 0 && n == 0 && s.signs.Load()&signReset != 0:
		return 0, sys.ECONNRESET // the kernel has reported it once
	case e == 0 && n == 0:
		return 0, io.EOF
	case e == 0:
		// A short read took everything, so the next one can wait for the next edge at once. But the
		// end of the stream makes no edge of its own when it came together with the last bytes.
		s.drained = n < most && !s.HungUp()
		s.account(n)
		return n, nil
	case e == sys.EAGAIN:
		s.drained = true
	case e != sys.EINTR:
		return 0, e
	}
	return 0, nil
}

// tryRead is TryRead; with bare it reads from the descriptor itself in any case.
func (s *Stream) tryRead(p []byte, bare bool) (int, error) {
	if s.transport != nil && !bare {
		return s.transport.tryRead(s, p)
	}
	for !s.drained {
		n, e := sys.Recv(int(s.fd), p)
		if n, err := s.received(len(p), n, e); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// tryWrite is TryWrite to the descriptor itself. more says that more follows at once.
func (s *Stream) tryWrite(p []byte, more bool) (int, error) {
	s.beforeWrite()
	for {
		send := sys.Send
		if more {
			send = sys.SendMore
		}
		n, e := send(int(s.fd), p)
		if e == 0 {
			s.movedOut += uint32(n)
			return n, nil
		}
		if e != sys.EINTR {
			return s.wrote(n, e)
		}
	}
}

func (s *Stream) tryWriteThree(a, b, c []byte) (int, error) {
	s.beforeWrite()
	for {
		n, e := sys.SendThree(int(s.fd), a, b, c)
		if e == sys.EINTR {
			continue
		}
		return s.wrote(n, e)
	}
}

// wrote turns n and e, the results of a send, into those of a write: no room is not an error.
func (s *Stream) wrote(n int, e sys.Errno) (int, error) {
	switch e {
	case 0:
		s.movedOut += uint32(n)
		return n, nil
	case sys.EAGAIN:
		return 0, nil
	case sys.ECONNRESET:
		s.signs.Or(signReset)
	}
	if s.Failed() {
		return 0, ErrClosed
	}
	return 0, e
}

func (s *Stream) armOutput() error {
	if s.outputArm && outputStays {
		return nil
	}
	if s.signs.Load()&signUnregistered != 0 {
		s.register()
	}
	err := s.loop.poller.wantOutput(int(s.fd), s.token())
	s.outputArm = err == nil
	return err
}

// disarmOutput makes the poller report input alone again, where it would otherwise go on reporting
// room for output with each event. The loop must be held, and nobody may be waiting for output.
func (s *Stream) disarmOutput() {
	if outputStays && s.loop.poller.move(int(s.fd), s.token(), false) == nil {
		s.outputArm = false
	}
}

// Quiet returns for how many milliseconds nothing has been received or sent on the stream; known is
// false where nobody can tell. The descriptor must be open. It allocates.
func (s *Stream) Quiet() (ms int64, known bool) {
	if s.portable {
		return 0, false
	}
	return sys.Quiet(int(s.fd))
}

// localAddr returns the address of this end as package net has it. It allocates.
func (s *Stream) localAddr() net.Addr {
	if s.portable {
		return s.transport.conn.LocalAddr()
	}
	at, _ := sys.LocalAddr(int(s.fd))
	return NetAddr(at)
}

// remoteAddr returns the address of the peer as package net has it. It allocates.
func (s *Stream) remoteAddr() net.Addr {
	if s.portable {
		return s.transport.conn.RemoteAddr()
	}
	at, _ := sys.PeerAddr(int(s.fd))
	return NetAddr(at)
}

// SetNoDelay turns Nagle's algorithm off, as it is on a stream of Connect, or on.
func (s *Stream) SetNoDelay(on bool) {
	if !s.portable {
		sys.SetNagle(int(s.fd), !on)
		return
	}
	if c, ok := s.transport.conn.(interface{ SetNoDelay(bool) error }); ok {
		_ = c.SetNoDelay(on)
	}
}

// SetKeepAlive makes TCP probe the peer after ms milliseconds without traffic, or not at all.
func (s *Stream) SetKeepAlive(on bool, ms int) {
	if !s.portable {
		sys.SetKeepAlive(int(s.fd), on, max(1, (ms+999)/1000))
		return
	}
	if c, ok := s.transport.conn.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	}); ok {
		idle := time.Duration(ms) * time.Millisecond
		_ = c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: on, Idle: idle, Interval: idle})
	}
}

// Become sets the task of a stream that has none. The loop must be held.
func (s *Stream) Become(task Task) { s.task = task }

// Connect makes s a stream of the worker's own, connected to addr. The worker
// must hold its loop and owns the stream afterwards: Close releases it. timeout
// is in milliseconds; 0 is for ever.
func (s *Stream) Connect(w *Worker, addr sys.Addr, timeout int64) error {
	return s.ConnectFrom(w, sys.Addr{}, addr, timeout)
}

// ConnectFrom is Connect from a local address, which may leave the port open; the zero
// Addr leaves the choice to the system.
func (s *Stream) ConnectFrom(w *Worker, from, addr sys.Addr, timeout int64) error {
	if w.loop.group.config.Portable {
		return s.dial(w, from, addr, timeout)
	}
	fd, pending, err := sys.ConnectFrom(from, addr)
	if err != nil {
		return err
	}
	if err := s.Open(w.loop, fd, nil); err != nil {
		sys.Close(fd)
		return err
	}
	s.Take(w)
	if !pending {
		return nil
	}
	if err = s.armOutput(); err == nil {
		err = s.wait(&s.output, timeout)
	}
	if err == nil {
		if e := sys.SocketError(fd); e != 0 {
			err = e
		}
	}
	if err != nil {
		s.Close()
		return err
	}
	s.disarmOutput()
	return nil
}
