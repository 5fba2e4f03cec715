// The work: pairs of sockets that answer each other for ever, a byte at a time.

package main

import (
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gale-http/gale/internal/loop"
	"github.com/gale-http/gale/internal/sys"
)

// pairs is the number of pairs of sockets that keep one loop busy.
const pairs = 16

// side is one socket of a pair, on a loop.
type side struct {
	loop.Stream
	work *loops
	buf  [1]byte
}

// Serve implements loop.Task.
func (s *side) Serve(w *loop.Worker, bits uint32) {
	s.NoteEvents(bits)
	w.Begin(&s.Stream) // as for a handler
	n, err := s.TryRead(s.buf[:])
	if err == nil && n > 0 {
		spin(s.work.burn)
		if !s.work.over.Load() {
			_, err = s.TryWrite(s.buf[:])
		}
		s.work.turns.Add(1)
	}
	if !w.End() {
		s.Return(func(loop.Task) { s.Rest(0, true) })
		return
	}
	if err != nil {
		s.Close()
		return
	}
	s.Rest(0, n > 0)
}

// Expire, Stop and HangUp implement loop.Task.
func (s *side) Expire() {}
func (s *side) Stop()   { s.Close() }
func (s *side) HangUp() {}

// loops are the event loops that do the work.
type loops struct {
	*loop.Group
	turns *atomic.Int64
	burn  time.Duration
	over  atomic.Bool
}

// byLoops does the work on n event loops.
func byLoops(n int, burn time.Duration, turns *atomic.Int64) (*loops, error) {
	g, err := loop.NewGroup(loop.Config{Loops: n})
	if err != nil {
		return nil, err
	}
	g.Start()
	work := &loops{Group: g, turns: turns, burn: burn}
	for _, l := range g.Loops() {
		for range pairs {
			fds, err := socketpair()
			if err != nil {
				g.Stop()
				return nil, err
			}
			l.Post(func(l *loop.Loop) {
				for _, fd := range fds {
					s := &side{work: work}
					if s.Open(l, fd, s) != nil {
						sys.Close(fd) // its peer sees the end
						continue
					}
					s.Rest(0, false)
				}
				_, _ = sys.Send(fds[0], []byte{1}) // the first byte
			})
		}
	}
	return work, nil
}

// byGoroutines does the work with two goroutines per pair, over package net.
func byGoroutines(loops int, burn time.Duration, turns *atomic.Int64) (stop func(), err error) {
	var conns []net.Conn
	var group sync.WaitGroup
	stop = func() {
		for _, c := range conns {
			_ = c.Close()
		}
		group.Wait()
	}
	for range loops * pairs {
		fds, err := socketpair()
		if err != nil {
			stop()
			return nil, err
		}
		for i, fd := range fds {
			file := os.NewFile(uintptr(fd), "pair")
			c, err := net.FileConn(file)
			_ = file.Close() // c has its own descriptor
			if err != nil {
				stop()
				return nil, err
			}
			conns = append(conns, c)
			group.Go(func() { answer(c, i == 0, burn, turns) })
		}
	}
	return stop, nil
}

// answer answers until the connection ends; first sends the first byte.
func answer(c net.Conn, first bool, burn time.Duration, turns *atomic.Int64) {
	buf := make([]byte, 1)
	for {
		if !first {
			if _, err := c.Read(buf); err != nil {
				return
			}
			spin(burn)
			turns.Add(1)
		}
		first = false
		if _, err := c.Write(buf); err != nil {
			return
		}
	}
}

// spin computes for the duration d.
func spin(d time.Duration) {
	if d > 0 {
		for began := time.Now(); time.Since(began) < d; {
		}
	}
}

// hogs starts goroutines that are always ready to run; stop ends them.
func hogs(n int) (stop func()) {
	var ended atomic.Bool
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			for !ended.Load() {
				spin(20 * time.Microsecond)
				runtime.Gosched()
			}
		})
	}
	return func() {
		ended.Store(true)
		group.Wait()
	}
}

// socketpair returns two connected non-blocking sockets.
func socketpair() (fds [2]int, err error) {
	fds, err = syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	return fds, os.NewSyscallError("socketpair", err)
}
