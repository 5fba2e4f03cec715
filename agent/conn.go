// The life of a socket of an agent.
//
//	dialled ─▶ used ─▶ kept on its loop's lane, or on the origin's shelf ─▶ used ─▶ …
//	             └──▶ closed                └──▶ closed when anything happens on it
//
// A socket that has been used before is checked for input once when it is taken.
//
// A socket in use by a handler is one of its worker's own streams. One in use by an
// ordinary goroutine is a shared stream, and so is one on the shelf (internal/loop,
// shared.go). A handler that takes a socket of another loop off the shelf moves it to its
// own loop.

package agent

import (
	"crypto/tls"
	"sync/atomic"

	"github.com/gale-http/gale/internal/loop"
)

type conn struct {
	loop.Stream
	origin *origin

	lane, home *lane // where it rests, and where it last did; these, next and prev belong to the loop
	next, prev *conn

	free     atomic.Bool   // it is idle, or on its way to be
	dead     atomic.Bool   // the loop closed it while it was idle
	detached atomic.Bool   // it no longer counts as one of the agent's
	uses     atomic.Uint32 // how often it was taken; shows whether it was idle all the time
	ticket   atomic.Uint64 // see cancel.go, also for hook and lasting
	hook     loop.Hook
	lasting  lasting
	secure   *tls.ConnectionState // nil: plain
	pooled   bool                 // it is a shared stream; owned by its user, who may not ask the loop for its state
	used     bool                 // a request has been answered on it; owned by its user
	pledged  bool                 // its place is promised to a call in the queue (rejoin); owned by its user
	watch    watch                // see portable.go

	seen  uint32 // the value of uses when Expire last looked; owned by the loop, as still is
	still int    // how many times in a row it had not changed
	peek  [1]byte
}

func newConn(o *origin) *conn { return &conn{origin: o} }

// idleLooks is how often a shared socket is checked within the idle timeout: after its
// last use it is kept for at most a quarter more than that.
const idleLooks = 4

// Serve implements loop.Task: there was an event on the resting socket, which is closed
// unless the event was spurious.
func (c *conn) Serve(w *loop.Worker, bits uint32) {
	c.NoteEvents(bits)
	if c.lane != nil {
		c.lane.remove(c)
	}
	if c.Raw() {
		c.afterEvent(c.NoInputNoted(c.peek[:]))
		return
	}
	quiet := false
	w.BeginAside(&c.Stream) // reading TLS may call user code
	over := func(err error) {
		if quiet = quiet && err == nil; w.End() {
			c.afterEvent(quiet)
		} else {
			c.yield(quiet)
		}
	}
	over(guarded("reading from an idle TLS connection", func() error {
		quiet = c.NoInputNoted(c.peek[:])
		return nil
	}, over))
}

// afterEvent keeps the socket after an event on it if that was spurious, else closes it. The loop
// must be held, and nobody may be able to take the socket.
func (c *conn) afterEvent(quiet bool) {
	if !quiet {
		c.drop()
		return
	}
	c.rest()
}

// Expire implements loop.Task: a resting socket has been idle for too long, or a shared one
// is due for a check.
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

// HangUp implements loop.Task; whoever reads will notice.
func (c *conn) HangUp() {}

// Stop implements loop.Task: it closes the socket, which is idle.
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

// drop closes the socket. The loop must be held, and nobody else may own the socket.
func (c *conn) drop() {
	defer c.origin.closed(c)
	if !c.Portable() {
		c.Close()
		return
	}
	_ = guarded("closing a connection", c.end, ignore)
}

// end is Close in the form that guarded needs.
func (c *conn) end() error {
	c.Close()
	return nil
}

// rest puts the socket, on which nothing has arrived, on the lane or the shelf, or closes it
// if it is not wanted. The loop must be held, and nobody may be able to take the socket.
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

// share makes the socket a shared stream. The loop must be held.
func (c *conn) share() {
	c.Share()
	c.pooled, c.still = true, 0
	if idle := c.origin.run.times.idle; idle > 0 {
		c.SetDue(c.Tick() + idle/idleLooks)
	}
}

// own makes a shared socket that the caller uses an own stream of w, which holds its loop.
// It returns the socket to use from then on: if c belongs to another loop, that is a new
// conn for the same connection.
func (c *conn) own(w *loop.Worker) (*conn, error) {
	if c.Stream.Loop() == w.Loop() {
		c.Reclaim(w)
		c.pooled = false
		return c, nil
	}
	successor := newConn(c.origin)
	successor.used, successor.secure = c.used, c.secure
	successor.ReadTimeout, successor.WriteTimeout = c.ReadTimeout, c.WriteTimeout
	if err := successor.Move(w, &c.Stream, successor, moved); err != nil {
		return c, err
	}
	c.origin.inherit(c, successor)
	return successor, nil
}

// moved disposes of a conn whose connection has moved to another loop, or is not needed.
func moved(t loop.Task) {
	c := t.(*conn)
	c.lasting.end()
	c.Close()
}

// giveBack returns the socket at the end of its use. If it is to be kept, nothing may have
// arrived on it. w is the calling worker if that owns the socket, else nil.
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

// wanted reports whether a socket that is no longer in use is to be kept.
func (o *origin) wanted() bool {
	return (o.run.keepAlive && !o.crowded() || o.queue.waiting.Load() > 0) && !o.run.destroyed.Load()
}

// yield makes the socket's loop keep it or close it.
func (c *conn) yield(keep bool) {
	then := dropTask
	if keep {
		then = restTask
		c.free.Store(true) // to whoever counts or closes the idle ones
	}
	if !c.Hand(then) {
		c.origin.closed(c)
	}
}

func dropTask(t loop.Task) { t.(*conn).drop() }

func restTask(t loop.Task) {
	c := t.(*conn)
	c.Follow(false) // if its handler lost the loop, this has not been done yet
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
		if !c.closeIdle() {
			c.Fail()
		}
	})
}

// closeIdle closes the socket if nobody uses it, and otherwise reports false. The loop must be held.
func (c *conn) closeIdle() (closed bool) {
	switch {
	case c.Closed():
	case c.Resting(), c.Kill():
		c.Stop()
	default:
		return false
	}
	return true
}
