//go:build linux || ((amd64 || arm64) && (darwin || dragonfly || freebsd || netbsd || openbsd))

// Everything at once: handlers that return at once, wait, block, compute, hold a mutex across a
// wait, give their sides to goroutines and end their goroutine; peers that come, leave in the
// middle of a message and are slow; messages, sleepers and functions beside them; and a Stop in the
// middle of it.

package loop

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

const (
	stressTime  = 1500 * time.Millisecond
	stressPeers = 40
	stressMax   = 100_000 // bytes of a message
)

// What a message asks of its handler, before or while it echoes the message.
const (
	opInline = iota
	opBlock  // sleeps as any goroutine may
	opSpin   // computes
	opLock   // holds a mutex across a read
	opHand   // has goroutines read and write
	opYield  // lets the scheduler run
	opSleep  // sleeps as a coroutine, when it has answered
	opGoexit // ends its goroutine, when it has answered
	opClose  // closes the connection, when it has answered
	opCount
)

type stress struct {
	t        *testing.T
	group    *Group
	mu       sync.Mutex
	stopping atomic.Bool
	hangUps  atomic.Int64
	expired  atomic.Int64
	returned atomic.Int64
	done     [opCount]atomic.Int64
}

// stressTask is a connection of the stress test.
type stressTask struct {
	Stream
	*stress
	rested int
}

func (k *stressTask) Serve(w *Worker, bits uint32) {
	k.NoteEvents(bits)
	for {
		var op [1]byte
		n, err := k.TryRead(op[:])
		switch {
		case err != nil:
			k.Close()
			return
		case n == 0:
			k.rest()
			return
		}
		if !k.handle(w, op[0]) {
			return
		}
		if op[0] == opSleep {
			var s Stream
			if s.Sleep(w, 1) != nil {
				k.Close()
				return
			}
		}
	}
}

// rest rests in different ways: without a deadline, or with one that comes up;
// now and then it asks to be served again.
func (k *stressTask) rest() {
	due := int64(0)
	if k.index%2 == 0 {
		due = k.loop.Tick() + 3
	}
	k.rested++
	k.Rest(due, k.rested%5 == 0)
}

func (k *stressTask) Expire() {
	k.expired.Add(1)
	k.Rest(k.loop.Tick()+50, true)
}

func (k *stressTask) Stop() { k.Close() }

func (k *stressTask) HangUp() { k.hangUps.Add(1) }

// handle answers one message under the lease and reports whether the worker goes
// on with the connection.
func (k *stressTask) handle(w *Worker, op byte) (goesOn bool) {
	w.Begin(&k.Stream)
	alive := false
	defer func() {
		// Also when the handler has called runtime.Goexit.
		switch held := w.End(); {
		case held && alive:
			goesOn = true
		case held:
			k.Close()
		default:
			k.returned.Add(1)
			k.giveBack(func(Task) {
				if alive {
					k.Rest(0, true)
				} else {
					k.Close()
				}
			})
		}
	}()
	alive = k.answer(w, op) && op != opClose
	k.done[op].Add(1)
	if op == opGoexit {
		alive = false
		runtime.Goexit()
	}
	return false
}

func (k *stressTask) answer(w *Worker, op byte) bool {
	var head [4]byte
	if !k.readFull(head[:]) {
		return false
	}
	p := make([]byte, binary.BigEndian.Uint32(head[:]))
	switch op {
	case opBlock:
		time.Sleep(2 * time.Millisecond) // sleep: the handler under test blocks
	case opSpin:
		for began := time.Now(); time.Since(began) < 2*time.Millisecond; {
		}
	case opYield:
		runtime.Gosched()
	case opLock:
		k.mu.Lock()
		defer k.mu.Unlock()
	case opHand:
		return k.handOut(p)
	}
	if !k.readFull(p) {
		return false
	}
	n, err := k.Write(p)
	return n == len(p) && err == nil
}

// handOut makes one goroutine read and another write, at the same time.
func (k *stressTask) handOut(p []byte) bool {
	pieces, ok := make(chan []byte, 4), make(chan bool, 1)
	go func() {
		whole := true
		for piece := range pieces {
			n, err := k.Write(piece)
			whole = whole && n == len(piece) && err == nil
		}
		ok <- whole
	}()
	read := make(chan bool, 1)
	go func() {
		defer close(pieces)
		for rest := p; len(rest) > 0; {
			n, err := k.Read(rest)
			if err != nil {
				read <- false
				return
			}
			pieces <- rest[:n]
			rest = rest[n:]
		}
		read <- true
	}()
	whole, wrote := <-read, <-ok // both must be done before the handler returns
	return whole && wrote
}

func (k *stressTask) readFull(p []byte) bool {
	for len(p) > 0 {
		n, err := k.Read(p)
		if p = p[n:]; err != nil {
			return false
		}
	}
	return true
}

// connect makes a connection to one of the loops and returns its peer, nil when the
// group is stopping.
func (x *stress) connect() *net.UnixConn {
	fds := socketpair(x.t)
	file := os.NewFile(uintptr(fds[1]), "peer")
	defer file.Close()
	peer, err := net.FileConn(file)
	if err != nil {
		x.t.Error(err)
	}
	k := &stressTask{stress: x}
	posted := x.group.Next().Post(func(l *Loop) {
		if k.Open(l, fds[0], k) != nil {
			_ = syscall.Close(fds[0])
			return
		}
		k.Rest(0, true)
	})
	if !posted {
		_ = syscall.Close(fds[0])
		_ = peer.Close()
		return nil
	}
	return peer.(*net.UnixConn)
}

// peer talks to handlers, over one connection after another, until the group
// stops.
func (x *stress) peer(r *rand.Rand) error {
	for !x.stopping.Load() {
		c := x.connect()
		if c == nil {
			return nil
		}
		err := x.converse(c, r)
		_ = c.Close()
		if err != nil && !x.stopping.Load() {
			return err
		}
	}
	return nil
}

var errOver = errors.New("the conversation is over")

// converse exchanges messages over one connection until one side ends it.
func (x *stress) converse(c *net.UnixConn, r *rand.Rand) error {
	for range 1 + r.IntN(20) {
		_ = c.SetDeadline(time.Now().Add(simnet.Patience))
		if err := x.exchange(c, r); err == errOver {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (x *stress) exchange(c *net.UnixConn, r *rand.Rand) error {
	op := byte(opInline)
	if r.IntN(3) == 0 {
		op = byte(r.IntN(opCount))
	}
	size := r.IntN(1 + r.IntN(1+r.IntN(stressMax)))
	message := binary.BigEndian.AppendUint32([]byte{op}, uint32(size))
	for range size {
		message = append(message, byte(r.Uint32()))
	}
	cut := r.IntN(30) == 0
	if cut {
		message = message[:r.IntN(len(message))]
	}
	chunk := 1 + r.IntN(2*stressMax)
	sent := make(chan error, 1)
	go func() {
		for rest := message; len(rest) > 0; {
			n, err := c.Write(rest[:min(chunk, len(rest))])
			if rest = rest[n:]; err != nil {
				sent <- err
				return
			}
			runtime.Gosched()
		}
		sent <- nil
	}()
	if cut {
		<-sent
		return errOver
	}
	got := make([]byte, size)
	n, err := io.ReadFull(c, got)
	if sendErr := <-sent; err == nil {
		err = sendErr
	}
	switch {
	case err != nil:
		return fmt.Errorf("op %d: %d of %d bytes came back: %w", op, n, size, err)
	case !bytes.Equal(got, message[5:]):
		return fmt.Errorf("op %d: the answer is not the message", op)
	case op != opGoexit && op != opClose:
		return nil
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("op %d: the connection was not closed: %d, %w", op, n, err)
	}
	return errOver
}

// beside runs what a loop does beside streams: messages, functions, sleepers,
// goroutines of the group.
func (x *stress) beside(r *rand.Rand) {
	for !x.stopping.Load() {
		l := x.group.Next()
		done := make(chan struct{})
		taken := true
		switch r.IntN(4) {
		case 0:
			taken = l.Post(func(*Loop) { close(done) })
		case 1:
			taken = l.Go(func(w *Worker) {
				defer close(done)
				var s Stream
				if s.Sleep(w, 2) == nil && r.IntN(4) == 0 {
					runtime.Goexit()
				}
			})
		case 2:
			taken = l.Goroutine(func(w *Worker) {
				defer close(done)
				var s Stream
				_ = s.Sleep(w, 1)
			})
		default:
			taken = l.Go(func(w *Worker) {
				defer close(done)
				w.Begin(nil)
				runtime.Gosched()
				w.End()
			})
		}
		if taken {
			<-done
		}
	}
}

func TestStress(t *testing.T) {
	g, r := newGroup(t, Config{Loops: 2, MaxWorkers: 10}), newRand(t)
	x := &stress{t: t, group: g}
	ended := make(chan error, stressPeers+2)
	for i := range stressPeers + 2 {
		own := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
		go func() {
			if i < stressPeers {
				ended <- x.peer(own)
			} else {
				x.beside(own)
				ended <- nil
			}
		}()
	}
	over := time.NewTimer(stressTime)
	defer over.Stop()
	left := stressPeers + 2
	select {
	case err := <-ended:
		left--
		t.Error(err)
	case <-over.C:
		for op := range x.done {
			simnet.Eventually(t, fmt.Sprint("a message of kind ", op), func() bool { return x.done[op].Load() > 0 })
		}
	}
	x.stopping.Store(true)
	stopGroup(t, g)
	for range left {
		if err := simnet.Receive(t, ended, "the peers to end"); err != nil {
			t.Error(err)
		}
	}
	takeovers := int64(0)
	for _, l := range g.Loops() {
		takeovers += int64(l.Tally(TakenOver))
		if l.Streams() != l.orphans || l.suspended != 0 || l.backlog.len() != 0 {
			t.Errorf("a loop ended with %d streams, %d orphans, %d suspended workers, %d jobs",
				l.Streams(), l.orphans, l.suspended, l.backlog.len())
		}
	}
	t.Logf("%d takeovers, %d late returns, %d hang-ups, %d deadlines", takeovers, x.returned.Load(), x.hangUps.Load(), x.expired.Load())
}
