// Streams: a socket as a loop knows it. Reading and writing look like those of a blocking
// connection; a wait is a suspended coroutine or a parked goroutine (wait.go). A stream over a
// net.Conn blocks as that does.

package loop

import (
	"net"
	"sync/atomic"
)

// giveWayBytes is how much a stream moves without waiting before its worker lets
// the others run.
const giveWayBytes = 256 << 10

// Task is what a loop serves: the role's part of a connection.
type Task interface {
	// Serve is called on a worker that holds the loop when there is something on the stream (bits,
	// as the poller gave them; none when it was given back with more to do). It ends with the
	// stream at rest, closed, or, once the worker has lost the loop, given back by Return.
	Serve(w *Worker, bits uint32)
	// Expire is called, the loop held, when the stream's deadline passes while it is at rest or
	// shared.
	Expire()
	// Stop is called, the loop held, when the stream, which is at rest, idle or taken, is to be
	// closed.
	Stop()
	// HangUp is called, the loop held, when the peer hangs up while the stream is being served; and
	// once more when the connection is found to be Broken. In the portable driver a PeerWatch calls it.
	HangUp()
}

// Watcher is a Task that wants to be told when a stream is served for long.
type Watcher interface {
	// Overdue is called, the loop held, when the deadline that the stream had at rest, or one that
	// Watch has set, passes while the stream is served. It returns in how many milliseconds it is
	// to be called again; 0 for no more.
	Overdue() (again int64)
}

// Stream is a socket with its place in a loop. It is meant to be embedded in the
// role's connection, which is its Task. The zero value is ready for Open.
type Stream struct {
	task      Task
	loop      *Loop
	worker    *Worker    // the one that serves it; stable while user code runs
	transport *transport // what it goes through instead of its descriptor: TLS, a net.Conn; nil: nothing

	input, output word
	timer
	// ReadTimeout and WriteTimeout bound each wait of that side, in milliseconds;
	// 0 is for ever. The owner sets them.
	ReadTimeout, WriteTimeout int32

	fd         int32
	index, gen uint32
	movedIn    uint32 // bytes read since the reader last waited
	movedOut   uint32 // bytes written since the writer last waited
	fetched    uint32 // the poll that last brought an event for it, as far as Unheard has looked
	state      ownership
	drained    bool // the last read took all there was
	outputArm  bool // output is among the events asked for
	queued     bool // in the backlog
	portable   bool // over a net.Conn, without a descriptor and a place in the loop
	level      bool // level-triggered: a listener
	owned      bool // in its worker's list of own streams
	signs      atomic.Uint32
	extras     atomic.Pointer[extras]
}

// Signs of a stream: what anyone may ask of it at any time.
const (
	signHangUp        = 1 << iota // the peer has closed its side, or the connection failed
	signFailed                    // it was cut, or closed, on our side
	signBarred                    // no wait may begin or go on (Bar)
	signUnregistered              // it is not registered with the poller yet (OpenUnregistered)
	signBroken                    // the connection failed, whatever the peer has closed
	signFollows                   // barred when the peer of the stream that its worker serves hangs up
	signAlert                     // input also wakes whoever waits for output
	signIncomplete                // see SetIncomplete
	signNoCloseNotify             // see SuppressCloseNotify
	signReset                     // a write has met a reset, which no read will report any more

	signsOfSocket = signHangUp | signReset // what stays true of the socket when it changes hands
)

// Loop returns the stream's loop.
func (s *Stream) Loop() *Loop { return s.loop }

// Tick is the time of the stream's loop in milliseconds; for a stream over a net.Conn, which no
// loop runs, that of the clock.
func (s *Stream) Tick() int64 {
	if s.portable {
		return Millis()
	}
	return s.loop.wheel.tick
}

// Portable reports whether the stream is one of the portable driver: over a net.Conn,
// and with a goroutine of its own.
func (s *Stream) Portable() bool { return s.portable }

// NetConn returns the net.Conn under a stream of the portable driver, else nil.
func (s *Stream) NetConn() net.Conn {
	if s.transport == nil {
		return nil
	}
	return s.transport.conn
}

// HungUp reports whether the peer has closed its side, or the connection failed,
// as far as the loop has heard.
func (s *Stream) HungUp() bool { return s.signs.Load()&signHangUp != 0 }

// Broken reports whether the connection has failed, as far as the loop has heard.
func (s *Stream) Broken() bool { return s.signs.Load()&signBroken != 0 }

// Failed reports whether the stream was cut, or closed, on our side.
func (s *Stream) Failed() bool { return s.signs.Load()&signFailed != 0 }

// OpenConn makes s a stream over c, served by the calling goroutine for task.
func (s *Stream) OpenConn(w *Worker, c net.Conn, task Task) {
	s.reset()
	s.task, s.loop, s.worker, s.fd, s.state = task, w.loop, w, -1, running
	s.transport, s.portable = &transport{conn: c}, true
	s.loop.group.keep(s)
}

func (s *Stream) reset() {
	*s = Stream{timer: timer{at: unarmed}, fd: -1}
}

// Read reads what there is, waiting until there is something. At the end of the stream it returns
// io.EOF, or io.ErrUnexpectedEOF over TLS when the peer has sent no close_notify. p must not be
// empty. It does not allocate.
func (s *Stream) Read(p []byte) (int, error) {
	if s.transport != nil {
		return s.transport.read(s, p)
	}
	for {
		n, err := s.tryRead(p, true)
		if n > 0 || err != nil {
			return n, err
		}
		if err := s.WaitInput(); err != nil {
			return 0, err
		}
	}
}

// WaitInput waits until TryRead may find something.
func (s *Stream) WaitInput() error {
	if !s.drained {
		return nil
	}
	err := s.wait(&s.input, int64(s.ReadTimeout))
	if err == nil {
		s.drained, s.movedIn = false, 0
	}
	return err
}

// account counts n bytes read without a wait, and gives way after enough.
func (s *Stream) account(n int) {
	if s.movedIn += uint32(n); s.movedIn >= giveWayBytes {
		s.movedEnough(&s.movedIn)
	}
}

// beforeWrite gives way when enough was written without a wait. It is called before a write and not
// after one, because after its last write the handler is nearly done.
func (s *Stream) beforeWrite() {
	if s.movedOut >= giveWayBytes {
		s.movedEnough(&s.movedOut)
	}
}

func (s *Stream) movedEnough(moved *uint32) {
	*moved = 0
	w := s.caller()
	if w == nil {
		return
	}
	if under, held := w.Enter(); held {
		w.giveWay()
		w.leave(under)
	}
}

// Rest gives the stream back to its loop: nothing of it runs until there is input, or the tick due
// has come (0: never). The worker must hold the loop. again says that there may be more to do now.
func (s *Stream) Rest(due int64, again bool) {
	if s.owned {
		s.disown()
	}
	s.state, s.worker, s.movedIn, s.movedOut = atRest, nil, 0, 0
	if !s.loop.wheel.keeps(s, due) {
		s.loop.wheel.set(s, due)
	}
	if again || s.input.Load() != nil || s.output.Load() != nil || s.signs.Load()&(signFailed|signUnregistered) != 0 {
		s.restUnusual(again)
	}
}

// restUnusual is the part of Rest for a stream that is to be served again at once, is waited for,
// has failed, or is not registered with the poller.
func (s *Stream) restUnusual(again bool) {
	s.dismiss(&s.output)
	if s.dismiss(&s.input) {
		again = true
	}
	if !again && s.signs.Load()&signUnregistered != 0 {
		s.register()
	}
	switch {
	case s.Failed():
		s.task.Stop()
	case again:
		s.loop.enqueue(s)
	}
}

// Close closes the stream. The caller must hold the loop and own the stream.
func (s *Stream) Close() {
	if s.state == closed {
		return
	}
	if s.state == shared {
		s.unshare()
	}
	s.disown()
	s.state, s.worker = closed, nil
	if s.portable {
		s.closeConn()
		return
	}
	s.dismiss(&s.input)
	s.dismiss(&s.output)
	s.closeTLS()
	s.loop.wheel.remove(s)
	s.loop.streams.remove(s)
	s.closeFD()
}

// Return gives the stream, which a worker without a loop serves, back to its loop; that calls then
// with the stream's task, the loop held, and then must put the stream to rest or close it. When the
// loop has ended, then is not called, and Return reports false: the caller must make sure that
// nobody uses s any more, and call Abandon. It does not allocate.
func (s *Stream) Return(then func(Task)) bool {
	m := messages.Get().(*message)
	m.stream, m.then = s, then
	if w := s.worker; w.serving == s && w.offLoop {
		// From here on there is room for another handler.
		w.offLoop = false
		w.loop.offLoop.Add(-1)
		m.timed, m.key, m.took, m.gaveUp = w.timed, w.Key, w.took, w.gaveUp
	}
	if s.loop.post(m) {
		return true
	}
	m.recycle()
	return false
}

// Abandon closes a stream that could not be given back.
func (s *Stream) Abandon() {
	s.closeTLS()
	s.closeFD()
}

// Hand is Return for any other stream that is not at rest: one of a worker's own, or a shared one.
// Whoever uses the stream may call it, on any goroutine. When it reports false, the descriptor is
// closed.
func (s *Stream) Hand(then func(Task)) bool {
	m := messages.Get().(*message)
	m.stream, m.then = s, then
	if s.loop.post(m) {
		return true
	}
	m.recycle()
	s.Abandon()
	if s.state == shared {
		s.loop.release()
	}
	return false
}

// Spent reports whether a read is sure to find nothing yet, going by the last read. Over anything but
// a descriptor it is false.
func (s *Stream) Spent() bool { return s.drained && s.transport == nil }

// Ready reports whether a read may find something without waiting.
func (s *Stream) Ready() bool {
	return !s.drained || s.input.Load() == ready || s.transport != nil && !s.transport.dry
}

// TryRead reads what there is. It returns 0 and no error when there is nothing now, and io.EOF at
// the end of the stream. Over a net.Conn, which cannot tell, it waits as Read does.
func (s *Stream) TryRead(p []byte) (int, error) { return s.tryRead(p, false) }
