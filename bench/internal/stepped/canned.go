// The server for a client that is stepped through. It is inside this program, so that
// the client's progress is known answer by answer.

package stepped

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gale-http/gale/bench/internal/peer"
)

// Canned answers every request, which must have no body, with the greeting, and
// counts. It may be used by several goroutines at once.
type Canned struct {
	listener net.Listener
	answer   []byte
	mu       sync.Mutex
	conns    map[net.Conn]bool
	done     int            // requests received
	seen     func(int) bool // called for each, until it returns false
	over     chan struct{}  // closed when it has returned false
}

// NewCanned listens on a free port of loopback.
func NewCanned() (*Canned, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Canned{listener: l, conns: map[net.Conn]bool{}, answer: fmt.Appendf(nil,
		"HTTP/1.1 200 OK\r\nServer: %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		peer.Name, time.Now().UTC().Format(http.TimeFormat), peer.ContentType, len(peer.Greeting), peer.Greeting)}
	go c.accept()
	return c, nil
}

// Addr returns the address it listens on.
func (c *Canned) Addr() string { return c.listener.Addr().String() }

// Close closes the listener and all connections.
func (c *Canned) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.listener.Close() // nothing was written
	for conn := range c.conns {
		_ = conn.Close() // the client is done with them
	}
	c.conns = nil
}

func (c *Canned) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		if c.conns == nil {
			_ = conn.Close() // closed meanwhile
		} else {
			c.conns[conn] = true
			go c.serve(conn)
		}
		c.mu.Unlock()
	}
}

// serve sends an answer for each empty line.
func (c *Canned) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if !bytes.Equal(line, []byte("\r\n")) {
			continue
		}
		c.count()
		if _, err := conn.Write(c.answer); err != nil {
			return
		}
	}
}

func (c *Canned) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if c.seen != nil && !c.seen(c.done) {
		c.seen = nil
		close(c.over)
	}
}

// watch makes the server call seen for each request from now on, with their number so far,
// and returns when seen has returned false.
func (c *Canned) watch(ctx context.Context, seen func(int) bool) error {
	over := make(chan struct{})
	c.mu.Lock()
	c.done, c.seen, c.over = 0, seen, over
	c.mu.Unlock()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = nil
		return ctx.Err()
	}
}
