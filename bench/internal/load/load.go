// Package load is a small closed-loop client for what the drivers cannot do: an exact
// number of requests while a counter steps the server, idle connections, and a warm-up
// without starting a program. It is not meant to be fast.
package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gale-http/gale/bench/internal/work"
)

// Client is a workload's open connections to one peer.
type Client struct {
	conns  []net.Conn
	batch  []byte // the requests that are sent at once
	depth  int
	answer int // bytes of one answer; 0 if they differ
	method string
}

// Dial opens conns connections and makes one request on each.
func Dial(w *work.Workload, addr string, conns int) (*Client, error) {
	c := &Client{depth: w.Depth, method: w.Method}
	one := w.Request(addr)
	for range w.Depth {
		c.batch = append(c.batch, one...)
	}
	for range conns {
		conn, err := w.Dial(addr)
		if err != nil {
			c.Close()
			return nil, err
		}
		c.conns = append(c.conns, conn)
		size, err := measure(conn, one, w.Method)
		if err != nil {
			c.Close()
			return nil, err
		}
		switch {
		case w.Want.Chunks > 0: // peers may write the sizes of chunks differently
		case c.answer != 0 && c.answer != size:
			c.Close()
			return nil, fmt.Errorf("an answer has %d bytes, another %d", c.answer, size)
		default:
			c.answer = size
		}
	}
	return c, nil
}

// measure makes one request and returns the size of the answer.
func measure(conn net.Conn, request []byte, method string) (int, error) {
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	counted := &countingReader{r: conn}
	in := bufio.NewReader(counted)
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, err
	}
	return counted.n - in.Buffered(), nil
}

type countingReader struct {
	r io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// Close closes all connections.
func (c *Client) Close() {
	for _, conn := range c.conns {
		_ = conn.Close() // it is not needed any more, whatever the error
	}
}

// Run sends batches on all connections, the next on each as soon as its answers are there,
// until seen returns false or ctx is done. After each batch of answers it calls seen with the
// total so far, one call at a time and in order, and none after one that returned false.
// Answers are compared by their length and first line.
func (c *Client) Run(ctx context.Context, seen func(done int) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, c.Close) // unblocks readers that wait for a peer which is gone
	defer stop()
	var (
		enough atomic.Bool
		mu     sync.Mutex
		done   int
		first  error
		finish sync.WaitGroup
	)
	for _, conn := range c.conns {
		finish.Go(func() {
			answers := make([]byte, c.answer*c.depth)
			for !enough.Load() {
				err := c.turn(conn, answers)
				mu.Lock()
				if first == nil {
					first = err
				}
				if done += c.depth; err != nil || !enough.Load() && !seen(done) {
					enough.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	finish.Wait()
	if ctx.Err() != nil { // its end has closed the connections: their errors say only that
		return ctx.Err()
	}
	return first
}

// parse reads answers of any size.
func (c *Client) parse(conn net.Conn) error {
	in := bufio.NewReader(conn)
	for range c.depth {
		if err := oneAnswer(in, c.method); err != nil {
			return err
		}
	}
	return nil
}

// Until returns a function for Run that waits for n answers.
func Until(n int) func(int) bool { return func(done int) bool { return done < n } }

func (c *Client) turn(conn net.Conn, answers []byte) error {
	if _, err := conn.Write(c.batch); err != nil {
		return err
	}
	return c.receive(conn, answers)
}

// receive reads a batch of answers.
func (c *Client) receive(conn net.Conn, answers []byte) error {
	if c.answer == 0 {
		return c.parse(conn)
	}
	if _, err := io.ReadFull(conn, answers); err != nil {
		return err
	}
	const want = "HTTP/1.1 200 OK\r\n"
	for b := answers; len(b) > 0; b = b[c.answer:] {
		if string(b[:len(want)]) != want {
			return fmt.Errorf("an answer begins with %q", b[:len(want)])
		}
	}
	return nil
}
