// What the end of a group waits for.

package loop

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/internal/simnet"
)

// slowToClose is a connection that takes its time to close.
type slowToClose struct {
	net.Conn
	closed atomic.Bool
}

func (c *slowToClose) Close() error {
	time.Sleep(20 * time.Millisecond) // sleep: its time
	defer c.closed.Store(true)
	return c.Conn.Close()
}

// A connection that comes when the group has been stopped is closed when Stop returns.
func TestStopWaitsForConnectionsThatComeLate(t *testing.T) {
	g := newGroup(t, Config{Loops: 1, Portable: true})
	ours, peer := net.Pipe()
	defer peer.Close()
	c, begun := &slowToClose{Conn: ours}, make(chan struct{})
	if !g.Next().Go(func(w *Worker) {
		close(begun)
		<-g.stop.Done()
		new(Stream).OpenConn(w, c, nil)
	}) {
		t.Fatal("the group takes no functions")
	}
	simnet.Receive(t, begun, "the function")
	g.Stop()
	if !c.closed.Load() {
		t.Error("it is still being closed")
	}
}
