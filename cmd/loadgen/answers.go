// Answers: reading until all requests under way are answered, and stepping the machine.

package main

import (
	"errors"
	"io"

	"github.com/gale-http/gale/internal/h1"
	"github.com/gale-http/gale/internal/loop"
)

// collect reads until the requests under way are answered, or the server has
// announced that it will answer no more.
func (c *conn) collect() error {
	s := c.shard
	for {
		n, err := c.fill()
		if err != nil {
			return err
		}
		s.lock()
		s.received += int64(n)
		before := c.done
		err = c.step()
		if c.done > before {
			c.now = c.run.clock()
			s.record(c.kinds[before:c.done], c.now-c.begun, c.now > c.run.end.Load())
		}
		s.unlock()
		if err != nil || c.done == len(c.kinds) || c.closing {
			return err
		}
	}
}

// step feeds the machine what was received, and counts the answers that this completes. It
// never waits.
func (c *conn) step() (err error) {
	h := &c.shard.head
	for c.done < len(c.kinds) {
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
			return err
		case ev == h1.NeedMore:
			return nil
		case ev == h1.End && !c.inBody:
			return errEarly
		case ev == h1.HeadDone && c.machine.Interim():
			continue
		}
		if c.inBody = !c.machine.Done(); c.inBody {
			continue
		}
		c.shard.tallies[c.kinds[c.done]].statuses[c.machine.Status()]++
		c.done++
		if !c.machine.KeepAlive() {
			c.closing = true
			return nil
		}
	}
	return nil
}

// fill reads once, appending to what was received and not consumed. At the end of the
// stream it sets eof; after that it fails.
func (c *conn) fill() (int, error) {
	if c.eof {
		return 0, errEarly
	}
	if c.start == c.end {
		c.start, c.end = 0, 0
	}
	switch {
	case c.full && len(c.buf) < maxBuffer: // more arrives at a time than fits: make room for it
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
	switch err {
	case io.ErrUnexpectedEOF: // there was no close_notify, or TLS was cut off
		c.machine.Truncated = true
		fallthrough
	case io.EOF:
		c.eof, err = true, nil
	}
	return n, err
}

// awaitClose gives the server the chance to close first where both sides expect the end.
func (c *conn) awaitClose() {
	if c.eof || c.run.noLinger.Load() {
		return
	}
	c.stream.ReadTimeout = closeWait
	switch n, err := c.stream.Read(c.buf); {
	case n > 0:
		c.shard.fail(kindUnasked, nil)
	case errors.Is(err, loop.ErrTimeout):
		c.run.noLinger.Store(true)
	}
}
