// A socket of an agent, from its making to its end.
//
//	dialled ─▶ used ─▶ kept on its loop's lane, or on the origin's shelf ─▶ used ─▶ …
//	             └──▶ closed                └──▶ closed when anything happens on it
//
// Who takes a socket that was used before asks the kernel about it once.
//
// A socket that a handler uses is its worker's own stream; one that an ordinary
// goroutine uses is a shared stream, and so is one on the shelf (internal/loop,
// shared.go). A socket of another loop that a handler takes off the shelf moves to the
// handler's loop.

package agent

import (
	"crypto/tls"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

type conn struct {
	loop.Stream
	origin *origin

	lane, home *lane // where it rests, and where it did last; the loop's, as next and prev are
	next, prev *conn

	free     atomic.Bool   // nobody uses it
	dead     atomic.Bool   // the loop closed it while nobody did
	detached atomic.Bool   // it does not count as the agent's
	uses     atomic.Uint32 // how often it was taken; tells whether it was idle all the time
	ticket   atomic.Uint64 // see cancel.go, as for hook
	hook     loop.Hook
	lasting  lasting
	secure   *tls.ConnectionState // nil: plain
	pooled   bool                 // it is a shared stream; its user's, who may not ask the loop for its state
	used     bool                 // a request has been answered on it; its user's
	pledged  bool                 // its place is somebody's who waits already (rejoin); its user's
	watch    watch                // see portable.go

	seen  uint32 // uses, when Expire looked last; the loop's
	still int    // how often it had not changed
	peek  [1]byte
}

func newConn(o *origin) *conn { return &conn{origin: o} }

// idleLooks is how often a shared socket is looked at in the time that it may be
// idle: it is closed at most a part more than that time after its last use.
const idleLooks = 4

// Serve implements loop.Task: something has happened while the socket was at rest.
// It is closed, unless it was nothing.
func (c *conn) Serve(w *loop.Worker, bits uint32) {
	c.Wake(bits)
	if c.lane != nil {
		c.lane.remove(c)
	}
	if c.Plain() {
		c.heard(c.Untroubled(c.peek[:]))
		return
	}
	quiet := false
	w.Begin(&c.Stream) // reading TLS may call user code
	over := func(err error) {
		if quiet = quiet && err == nil; w.End() {
			c.heard(quiet)
		} else {
			c.yield(quiet)
		}
	}
	over(guarded(func() error {
		quiet = c.Untroubled(c.peek[:])
		return nil
	}, over))
}

// heard keeps the socket, at which something has happened, if that was nothing. The loop must be
// held, and the socket be at nobody's disposal.
func (c *conn) heard(quiet bool) {
	if !quiet {
		c.drop()
		return
	}
	c.rest()
}

// Expire implements loop.Task: the socket has been idle, or is to be looked at.
func (c *conn) Expire() {
	if !c.Shared() {
		c.Stop()
		return
	}
	if n := c.uses.Load(); n != c.seen {
		c.seen, c.still = n, 0
	} else if c.free.Load() {
		c.still++
	}
	if c.still < idleLooks || !c.Kill() {
		c.SetDue(c.Tick() + c.origin.run.times.idle/idleLooks)
		return
	}
	c.Stop()
}

// HangUp implements loop.Task; who reads will see.
func (c *conn) HangUp() {}

// Stop implements loop.Task: the socket, which nobody uses, is to be closed.
func (c *conn) Stop() {
	if c.lane != nil {
		c.lane.remove(c)
	}
	if c.Shared() {
		c.dead.Store(true)
		c.origin.shelf.held.Add(-1)
	}
	c.drop()
}

// drop closes the socket. The loop must be held, and the socket be nobody else's.
func (c *conn) drop() {
	c.Close()
	c.origin.closed(c)
}

// rest keeps the socket, which is quiet, where it belongs, or closes it when it is not wanted. The loop must be held, and
// the socket be at nobody's disposal.
func (c *conn) rest() {
	o := c.origin
	switch {
	case !o.wanted():
		c.drop()
	case o.local():
		c.free.Store(true)
		n := c.home
		if n == nil || n.loop != c.Loop() {
			n = o.laneOf(c.Loop())
			c.home = n
		}
		n.push(c)
		due := int64(0)
		if idle := o.run.times.idle; idle > 0 {
			due = c.Tick() + idle
		}
		c.Rest(due, false)
	default:
		c.share()
		o.offer(c, false)
	}
}

// share makes the socket a shared one. The loop must be held.
func (c *conn) share() {
	c.Share()
	c.pooled, c.still = true, 0
	if idle := c.origin.run.times.idle; idle > 0 {
		c.SetDue(c.Tick() + idle/idleLooks)
	}
}

// own makes a shared socket, the caller's, the own one of w, which holds its loop. It
// returns the socket to use: another one, with the same connection, when the first was
// of another loop.
func (c *conn) own(w *loop.Worker) (*conn, error) {
	if c.Stream.Loop() == w.Loop() {
		c.Reclaim(w)
		c.pooled = false
		return c, nil
	}
	heir := newConn(c.origin)
	heir.used, heir.secure = c.used, c.secure
	heir.ReadTimeout, heir.WriteTimeout = c.ReadTimeout, c.WriteTimeout
	if err := heir.Move(w, &c.Stream, heir, moved); err != nil {
		return c, err
	}
	c.origin.inherit(c, heir)
	return heir, nil
}

// moved ends what a socket has left behind.
func moved(t loop.Task) {
	c := t.(*conn)
	c.lasting.end()
	c.Close()
}

// giveBack returns the socket, which its user is done with, and which is quiet if it
// is to be kept. w is the worker that calls and owns it, nil for others.
func (c *conn) giveBack(w *loop.Worker, keep bool) {
	switch {
	case (c.pooled || c.Portable()) && keep && c.origin.wanted():
		c.origin.offer(c, true)
	case c.pooled || c.Portable():
		c.discard()
	case w != nil:
		if under, held := w.Enter(); held {
			if keep {
				c.rest()
			} else {
				c.drop()
			}
			w.Leave(under)
			return
		}
		c.yield(keep)
	default:
		c.yield(keep)
	}
}

// wanted tells whether a socket that is not needed any more is to be kept.
func (o *origin) wanted() bool {
	return (o.run.keepAlive && !o.crowded() || o.queue.waiting.Load() > 0) && !o.run.destroyed.Load()
}

// yield has the socket's loop keep it or close it.
func (c *conn) yield(keep bool) {
	then := dropTask
	if keep {
		then = restTask
	}
	if !c.Hand(then) {
		c.origin.closed(c)
	}
}

func dropTask(t loop.Task) { t.(*conn).drop() }

func restTask(t loop.Task) {
	c := t.(*conn)
	c.Follow(false) // of a handler that had lost its loop
	if c.HungUp() || c.Failed() || c.Barred() {
		c.drop()
		return
	}
	c.rest()
}

// discard closes a shared socket that the caller uses.
func (c *conn) discard() {
	if c.Portable() {
		c.drop()
		return
	}
	c.yield(false)
}

// destroy closes the socket, whoever uses it.
func (c *conn) destroy() {
	if c.Portable() {
		return // the end of the agent's loops closes it
	}
	c.Stream.Loop().Post(func(*loop.Loop) {
		switch {
		case c.Closed():
		case c.Resting(), c.Kill():
			c.Stop()
		default:
			c.Fail()
		}
	})
}
