// A connection: one coroutine that makes blocking calls.
//
//	connect ─▶ write a batch ─▶ read and step the machine until it is answered ─┐
//	   ▲             ▲──────────────────────────────────────────────────────────┤
//	   └── close ◀── the server said so, or something went wrong ◀──────────────┘
//
// next decides what is written next, and when (mix.go, pace.go).
//
// The clock. A loop reads it once a turn, and a turn serves every connection
// that is ready: at 64 connections a turn lasts about as long as an answer takes,
// so its time stamps would be wrong by up to the very latency that is measured. So
// a connection reads the clock itself, once per batch: the instant at which the
// last answers were complete is also taken as the start of the next batch, which
// leaves a microsecond later. The time that an answer waits in this process behind
// others of the same turn counts as latency, as it does in every closed-loop client.

package main

import (
	"crypto/tls"
	"errors"
	"io"
	"sync"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

const (
	firstBuffer = 2 << 10   // initial size of a connection's read buffer
	maxBuffer   = 128 << 10 // its greatest size: a head of the maximum size and then some

	// giveUpAfter is how many fruitless connections in a row make a connection
	// hopeless. It waits 1, 2, 4 … maxPause milliseconds between them, so it becomes
	// hopeless after a quarter of a second of refusals.
	giveUpAfter = 9
	maxPause    = 128

	// closeWait is how many milliseconds a connection that both sides know to be
	// over waits for the server to close first, so that this side does not run out of
	// ports.
	closeWait = 100
)

// conn makes connections, one after the other.
type conn struct {
	stream  loop.Stream
	run     *run
	shard   *shard
	machine h1.Conn

	buf        []byte
	start, end int  // buf[start:end] was received and not consumed
	full       bool // the last read filled the buffer
	eof        bool
	inBody     bool // the head of an answer is complete, its body is not
	closing    bool // the last answer announced the end of the connection

	kinds []uint16 // classes of the requests under way
	done  int      // how many of them are answered
	out   []byte   // their bytes, where they are not available in one piece
	ends  bool     // the last of them asks for the connection to be closed

	connected bool
	over      bool  // there is nothing left to send
	stood     bool  // it has stood ready, or has failed to
	now       int64 // the clock, as last read
	begun     int64 // when the latency of the requests under way began
	used      int   // requests sent on this connection
	answered  int   // answers received on it
	fruitless int   // connections in a row without an answer

	entry queueEntry
	link  link
}

// link is what a portable group needs to interrupt a wait from outside.
type link struct {
	mu   sync.Mutex
	conn io.Closer
}

// live is the coroutine: connect, load, and start again, until the run is over.
func (c *conn) live(w *loop.Worker) {
	r := c.run
	for !c.over && c.pause(w) {
		k := 0
		c.used, c.answered, c.now = 0, 0, r.clock()
		if !r.standsReady() { // the requests are determined before connecting
			if k = c.next(w); k == 0 {
				break
			}
		} else if c.now >= r.end.Load() {
			break
		}
		if err := c.connect(w); err == nil {
			c.connected = true
			c.load(w, k)
			c.connected = false
			c.stream.Close()
		} else {
			c.postpone(k)
			if !errors.Is(err, loop.ErrClosed) {
				c.shard.fail(connectKind(err), nil)
			}
			r.stood(c)
		}
		c.noteOutcome()
	}
	c.giveUp()
	r.leave(c.hopeless())
}

// connect connects, and does the TLS handshake if there is one. It calls no user code and
// does not block, so it holds the loop.
func (c *conn) connect(w *loop.Worker) error {
	r := c.run
	err := c.stream.Connect(w, r.addr, int64(r.waitMillis))
	if err != nil || r.tls == nil {
		return err
	}
	if r.portable && !c.attach() {
		err = loop.ErrClosed
	} else if err = c.stream.Handshake(tls.Client, r.tls, int64(r.waitMillis)); err != nil && !errors.Is(err, loop.ErrClosed) {
		err = errHandshake{err}
	}
	if err != nil {
		c.detach()
		c.stream.Close()
	}
	return err
}

// postpone returns k requests for which there is no connection. One that was due stays with
// this conn, and its latency goes on.
func (c *conn) postpone(k int) {
	if c.run.paced {
		c.entry.dispatched = c.entry.dispatched || k > 0
		return
	}
	c.shard.unclaim(k)
}

// next returns how many requests to send now on this connection, 0 for none, and sets when
// their latency begins. c.now must be current. At a rate it waits until one is due.
func (c *conn) next(w *loop.Worker) int {
	r := c.run
	n := r.depth
	if r.per > 0 {
		n = min(n, r.per-c.used)
	}
	switch {
	case n == 0:
		return 0
	case c.shard.pace != nil:
		return c.awaitTurn(w)
	case c.now >= r.end.Load():
		return 0
	}
	c.begun = c.now
	return c.shard.claim(n)
}

// noteOutcome records whether the last connection brought an answer.
func (c *conn) noteOutcome() {
	if c.answered == 0 {
		if c.fruitless++; c.fruitless == giveUpAfter {
			c.run.lose()
		}
		return
	}
	if c.hopeless() {
		c.run.hopeless.Add(-1)
	}
	c.fruitless = 0
}

// hopeless reports whether too many connections in a row have brought no answer.
func (c *conn) hopeless() bool { return c.fruitless >= giveUpAfter }

// pause waits a while after a fruitless connection, so that a dead server is not
// hammered. It reports false when the run is stopped in the meantime.
func (c *conn) pause(w *loop.Worker) bool {
	if c.fruitless == 0 {
		return true
	}
	return c.stream.Sleep(w, int64(min(1<<min(c.fruitless-1, 16), maxPause))) == nil
}

// load sends k requests, if they are determined already, and then batch after batch, until
// the connection or the run ends.
func (c *conn) load(w *loop.Worker, k int) {
	r := c.run
	c.stream.ReadTimeout, c.stream.WriteTimeout = r.waitMillis, r.waitMillis
	if r.portable && !c.attach() {
		c.postpone(k)
		return
	}
	defer c.detach()
	c.shard.lock()
	c.shard.connects++
	c.shard.unlock()
	if c.buf == nil {
		c.buf = make([]byte, firstBuffer)
		c.kinds = make([]uint16, 0, r.depth)
	}
	c.machine.Reset(h1.Client)
	c.machine.SetRequest(r.method)
	c.start, c.end = 0, 0
	c.full, c.eof, c.inBody, c.closing = false, false, false, false
	switch {
	case r.standsReady():
		r.stood(c)
		c.now = r.clock()
		k = c.next(w)
	case r.per == 0:
		c.begun = r.clock() // connecting does not count as latency
	}
	for k > 0 && c.exchange(k) {
		k = c.next(w)
	}
}

// exchange sends k requests and waits for their answers. It reports whether the
// connection can be used again.
func (c *conn) exchange(k int) bool {
	n, sendErr := c.stream.Write(c.requests(k))
	c.used += k
	c.shard.lock()
	c.shard.sent += int64(n)
	c.shard.unlock()
	err := sendErr
	// A server that refuses what is still being sent has answered before it closed.
	if sendErr == nil || !errors.Is(sendErr, loop.ErrTimeout) && !errors.Is(sendErr, loop.ErrClosed) {
		err = c.collect()
	}
	c.answered += c.done
	switch {
	case err != nil && sendErr != nil:
		c.countUnanswered(sendErr)
	case err != nil:
		c.countUnanswered(err)
	case c.start < c.end:
		c.shard.unclaim(k - c.done)
		c.shard.fail(kindUnasked, nil)
	case c.closing || c.ends:
		c.shard.unclaim(k - c.done)
		c.awaitClose()
	default:
		return sendErr == nil
	}
	return false
}

// requests returns the bytes of the next k requests, and records their classes.
func (c *conn) requests(k int) []byte {
	r, s := c.run, c.shard
	c.kinds, c.done = c.kinds[:0], 0
	s.lock()
	for range k {
		c.kinds = append(c.kinds, uint16(s.mix.next()))
	}
	s.unlock()
	final := &r.classes[c.kinds[k-1]]
	counted := r.per > 0 && c.used+k == r.per
	c.ends = counted || final.closes
	switch {
	case k == 1 && counted:
		return final.last
	case k == 1:
		return final.request
	case final.batch != nil && !counted:
		return final.batch[:k*len(final.request)]
	}
	c.out = c.out[:0]
	for _, i := range c.kinds[:k-1] {
		c.out = append(c.out, r.classes[i].request...)
	}
	if counted {
		c.out = append(c.out, final.last...)
	} else {
		c.out = append(c.out, final.request...)
	}
	return c.out
}

// countUnanswered counts the requests that went unanswered because the connection ended with err.
func (c *conn) countUnanswered(err error) {
	if left := c.kinds[c.done:]; errors.Is(err, loop.ErrClosed) {
		c.shard.lose(left)
	} else {
		c.shard.fail(exchangeKind(err), left)
	}
}

// attach makes the connection known to run.cut. It reports false when the run has been cut
// off already.
func (c *conn) attach() bool {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	c.link.conn = c.stream.NetConn()
	return !c.run.isCut.Load()
}

func (c *conn) detach() {
	c.link.mu.Lock()
	c.link.conn = nil
	c.link.mu.Unlock()
}

// cut interrupts the wait of a portable connection.
func (c *conn) cut() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.conn != nil {
		_ = c.link.conn.Close()
	}
}
