// What tests outside of the package may know of an agent.

package agent

import "context"

// AllSockets counts the sockets that a has, used or free, at one moment.
func AllSockets(a *Agent) int {
	n := 0
	a.state().names.each(func(o *origin) {
		used, free := o.split()
		n += used + free
	})
	return n
}

// LastInLine returns who has joined the queue of a's only origin last.
func LastInLine(a *Agent) (last any) {
	a.state().names.each(func(o *origin) { last = o.queue.line.tail.Load() })
	return last
}

// AgeNames makes everything that a knows of names too old.
func AgeNames(a *Agent) {
	r := &a.state().resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.names {
		known.until = 1
	}
}

// EndOfUse ends the use of a socket, and tells the socket that the context of that use has ended,
// late or in time. It returns whether that use, and the next one, were not cut.
func EndOfUse(late bool) (first, next bool) {
	c := newConn(nil)
	use := c.ticket.Load()
	if !late {
		c.Ended(use)
	}
	if first = c.unwatch(nil); late {
		c.Ended(use)
	}
	return first, c.unwatch(nil)
}

// EndOfLasting uses a socket under first, and then under second, so often that it keeps watching each,
// tells of the end of first in the midst of that, and returns whether that use was not cut.
func EndOfLasting(first, second context.Context) bool {
	c := newConn(nil)
	for range 3 {
		c.unwatch(c.watchFor(first, nil))
	}
	use := c.lasting.use
	c.unwatch(c.watchFor(second, nil))
	c.watchFor(second, nil)
	c.cut(use.Load()) // as what was registered with first does
	return c.unwatch(nil)
}
