// Listening sockets on a loop: served as long as connections are queued.

package loop

import "github.com/gale-http/gale/internal/sys"

// Listener is a listening socket with its place in a loop. Its task is not served once for each
// connection, but again and again while any is queued.
type Listener struct{ Stream }

// Open gives the loop, which must be held, a listening socket to serve for task.
// From then on fd belongs to the listener, unless Open fails.
func (n *Listener) Open(l *Loop, fd int, task Task) error {
	err := n.open(l, fd, task, l.poller.addAccept)
	n.level = true
	return err
}

// Accept takes a queued connection, without waiting; EAGAIN when there is none. The caller owns the
// descriptor.
func (n *Listener) Accept() (fd int, e sys.Errno) { return sys.Accept(int(n.fd)) }

// Pause keeps the listener from being served, until Resume.
func (n *Listener) Pause() { n.loop.poller.pauseAccept(int(n.fd), n.token()) }

// Resume undoes Pause.
func (n *Listener) Resume() { n.loop.poller.resumeAccept(int(n.fd), n.token()) }
