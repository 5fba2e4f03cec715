// A connection: one coroutine, blocking calls.
//
//	connect ─▶ write a batch ─▶ read and step the machine until it is answered ─┐
//	   ▲             ▲──────────────────────────────────────────────────────────┤
//	   └── close ◀── the server said so, or something went wrong ◀──────────────┘
//
// The clock. Loop.Nanos is read once a turn, and a turn serves every connection
// that is ready: at 64 connections a turn lasts about as long as an answer takes,
// so stamps from it would be wrong by up to the very thing that is measured. So
// a connection reads the clock itself, once per batch: the instant at which the
// last answers were complete is also that at which the next batch leaves, which
// is a microsecond later. What an answer waits in this process behind others of
// the same turn counts as latency, as it does in every closed-loop client.

package main

import (
	"errors"
	"io"
	"sync"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

const (
	firstBuffer = 2 << 10   // what a connection reads into, at first
	maxBuffer   = 128 << 10 // and at most: a head at its limit and then some

	// giveUpAfter is how many fruitless connections in a row make a connection
	// hopeless; between them it waits 1, 2, 4 … maxPause milliseconds, so it is
	// hopeless after a quarter of a second of refusals.
	giveUpAfter = 9
	maxPause    = 128

	// closeWait is how many milliseconds a connection that both sides know to be
	// over waits for the server to close first, so that it is not us who run out of
	// ports.
	closeWait = 100
)

// conn is one connection after the other.
type conn struct {
	stream  loop.Stream
	run     *run
	shard   *shard
	machine h1.Conn

	buf        []byte
	start, end int  // buf[start:end] was received and not consumed
	full       bool // the last read filled the buffer
	eof        bool
	inBody     bool // the head of an answer is done, its body is not
	closing    bool // the last answer was the last on this connection

	now       int64 // the clock, as last read
	answered  int   // answers on this connection
	fruitless int   // connections in a row without any

	link link
}

// link is what a portable group needs to end a wait from outside.
type link struct {
	mu   sync.Mutex
	conn io.Closer
}

// live is the coroutine: connect, load, and again, until the run is over.
func (c *conn) live(w *loop.Worker) {
	for c.pause(w) {
		k := c.claim()
		if k == 0 {
			break
		}
		c.answered = 0
		if err := c.stream.Connect(w, c.run.addr, int64(c.run.waitMillis)); err == nil {
			c.load(k)
			c.stream.Close()
		} else {
			c.shard.unclaim(k)
			if !errors.Is(err, loop.ErrClosed) {
				c.shard.fail(connectKind(err), 0)
			}
		}
		c.judge()
	}
	c.run.leave(c.hopeless())
}

// claim takes the next batch to send, 0 when there is nothing left to do.
func (c *conn) claim() int {
	c.now = c.run.clock()
	return c.next()
}

// next is claim where the clock has just been read.
func (c *conn) next() int {
	if c.now >= c.run.end.Load() {
		return 0
	}
	return c.shard.claim(c.run.depth)
}

// judge looks at what the last connection brought.
func (c *conn) judge() {
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

// hopeless tells whether one connection after the other has brought nothing.
func (c *conn) hopeless() bool { return c.fruitless >= giveUpAfter }

// pause waits a while after a fruitless connection, so that a dead server is not
// hammered. It reports false when the run is being stopped meanwhile.
func (c *conn) pause(w *loop.Worker) bool {
	if c.fruitless == 0 {
		return true
	}
	return c.stream.Sleep(w, int64(min(1<<min(c.fruitless-1, 16), maxPause))) == nil
}

// load sends k requests and then batch after batch, until the connection or the
// run ends.
func (c *conn) load(k int) {
	r := c.run
	c.stream.ReadTimeout, c.stream.WriteTimeout = r.waitMillis, r.waitMillis
	if r.portable && !c.attach() {
		c.bury(loop.ErrClosed, k)
		return
	}
	defer c.detach()
	c.shard.lock()
	c.shard.connects++
	c.shard.unlock()
	if c.buf == nil {
		c.buf = make([]byte, firstBuffer)
	}
	c.machine.Reset(h1.Client)
	c.machine.SetRequest(r.method)
	c.start, c.end = 0, 0
	c.full, c.eof, c.inBody, c.closing = false, false, false, false
	c.now = r.clock()
	for k > 0 && c.exchange(k) {
		k = c.next()
	}
}

// exchange sends k requests and waits for their answers. It reports whether the
// connection can be used again.
func (c *conn) exchange(k int) bool {
	begun := c.now
	n, sendErr := c.stream.Write(c.run.batch[:k*c.run.size])
	c.shard.lock()
	c.shard.sent += int64(n)
	c.shard.unlock()
	done, err := 0, sendErr
	// A server that refuses what is still being sent has answered before it closed.
	if sendErr == nil || !errors.Is(sendErr, loop.ErrTimeout) && !errors.Is(sendErr, loop.ErrClosed) {
		done, err = c.collect(k, begun)
	}
	c.answered += done
	switch {
	case err != nil && sendErr != nil:
		c.bury(sendErr, k-done)
	case err != nil:
		c.bury(err, k-done)
	case c.start < c.end:
		c.shard.unclaim(k - done)
		c.shard.fail(kindUnasked, 0)
	case c.closing || c.run.closes:
		c.shard.unclaim(k - done)
		c.awaitClose()
	default:
		return sendErr == nil
	}
	return false
}

// bury accounts for n requests whose connection ended with err.
func (c *conn) bury(err error, n int) {
	if !errors.Is(err, loop.ErrClosed) {
		c.shard.fail(exchangeKind(err), n)
		return
	}
	c.shard.lock()
	c.shard.lost += int64(n)
	c.shard.unlock()
}

// collect reads until k requests, sent at begun, are answered, or the server has
// announced that no more will be. It returns how many are.
func (c *conn) collect(k int, begun int64) (done int, err error) {
	s := c.shard
	for {
		n, err := c.fill()
		if err != nil {
			return done, err
		}
		s.lock()
		s.received += int64(n)
		m, err := c.step(k - done)
		if m > 0 {
			c.now = c.run.clock()
			s.record(int64(m), c.now-begun, c.now > c.run.end.Load())
		}
		s.unlock()
		if done += m; err != nil || done == k || c.closing {
			return done, err
		}
	}
}

// step takes the machine through what was received, and returns how many answers
// were completed; most is how many are due. It never waits.
func (c *conn) step(most int) (done int, err error) {
	h := &c.shard.head
	for done < most {
		data := c.buf[c.start:c.end]
		var n int
		var ev h1.Event
		if c.inBody {
			n, ev, err = c.machine.Next(data, c.eof, h, &limits)
		} else {
			n, ev, err = c.machine.NextHead(data, c.eof, h, &limits)
		}
		c.start += n
		switch {
		case err != nil:
			return done, err
		case ev == h1.NeedMore:
			return done, nil
		case ev == h1.End && !c.inBody:
			return done, errEarly
		case ev == h1.HeadDone && c.machine.Interim():
			continue
		}
		if c.inBody = !c.machine.Done(); c.inBody {
			continue
		}
		done++
		c.shard.statuses[c.machine.Status()]++
		if !c.machine.KeepAlive() {
			c.closing = true
			return done, nil
		}
	}
	return done, nil
}

// fill reads once, behind what was received and not consumed. At the end of the
// stream it notes eof, once.
func (c *conn) fill() (int, error) {
	if c.eof {
		return 0, errEarly
	}
	if c.start == c.end {
		c.start, c.end = 0, 0
	}
	switch {
	case c.full && len(c.buf) < maxBuffer: // more comes at a time than fits: make room for it
		bigger := make([]byte, 2*len(c.buf))
		c.end = copy(bigger, c.buf[c.start:c.end])
		c.buf, c.start = bigger, 0
	case c.end == len(c.buf):
		c.end = copy(c.buf, c.buf[c.start:])
		c.start = 0
	}
	n, err := c.stream.Read(c.buf[c.end:])
	c.end += n
	c.full = c.end == len(c.buf)
	if err == io.EOF {
		c.eof, err = true, nil
	}
	return n, err
}

// awaitClose lets the server close first where the end was agreed upon.
func (c *conn) awaitClose() {
	if c.eof || c.run.noLinger.Load() {
		return
	}
	c.stream.ReadTimeout = closeWait
	switch n, err := c.stream.Read(c.buf); {
	case n > 0:
		c.shard.fail(kindUnasked, 0)
	case errors.Is(err, loop.ErrTimeout):
		c.run.noLinger.Store(true)
	}
}

// attach makes the connection known to run.cut and reports false when it came too
// late for that.
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

// cut ends what a portable connection waits for.
func (c *conn) cut() {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.link.conn != nil {
		_ = c.link.conn.Close()
	}
}
