// Internals of an agent for tests outside the package.

package agent

import "context"

// AllSockets counts all sockets of a, in use or idle, at one moment.
func AllSockets(a *Agent) int {
	n := 0
	a.state().names.each(func(o *origin) {
		used, free := o.split()
		n += used + free
	})
	return n
}

// Lanes counts the lanes of all origins of a.
func Lanes(a *Agent) (n int) {
	a.state().names.each(func(o *origin) { n += len(o.allLanes()) })
	return n
}

// LastInLine returns the waiter that joined the queue of a's only origin last.
func LastInLine(a *Agent) (last any) {
	a.state().names.each(func(o *origin) { last = o.queue.line.tail.Load() })
	return last
}

// AgeNames makes all cached names of a too old.
func AgeNames(a *Agent) {
	r := &a.state().resolver
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.names {
		known.until = 1
	}
}

// EndOfUse ends the use of a socket, and notifies the socket that the context of that use has
// ended, before that or, with late, after it. It reports of that use, and of the next one, whether
// they were not cut.
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

// EndOfLasting uses a socket under first and then under second, often enough to make each the
// lasting context. In the middle of this it delivers the end of first, late; it reports whether
// the use under second was not cut.
func EndOfLasting(first, second context.Context) bool {
	c := newConn(nil)
	for range 3 {
		c.unwatch(c.watchFor(first, nil))
	}
	use := c.lasting.use
	c.unwatch(c.watchFor(second, nil))
	c.watchFor(second, nil)
	c.cut(use.Load()) // as the function registered with first does
	return c.unwatch(nil)
}
