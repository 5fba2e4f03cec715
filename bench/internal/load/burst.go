// Bursts: a known number of requests at once, followed by silence, so that their cost can
// be counted from rest to rest.

package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/gale-http/gale/bench/internal/work"
)

// One makes one request, on the first connection.
func (c *Client) One(ctx context.Context) error {
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	if _, err := c.conns[0].Write(c.batch[:len(c.batch)/c.depth]); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	if err := oneAnswer(bufio.NewReader(c.conns[0]), c.method); err != nil {
		return errors.Join(ctx.Err(), err)
	}
	return nil
}

// Burst sends a batch on each of the first n connections before it reads the first answer.
// It returns the number of requests when all are answered.
func (c *Client) Burst(ctx context.Context, n int) (requests int, err error) {
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	conns := c.conns[:min(n, len(c.conns))]
	for _, conn := range conns {
		if _, err := conn.Write(c.batch); err != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
	}
	answers := make([]byte, c.answer*c.depth)
	for _, conn := range conns {
		if err := c.receive(conn, answers); err != nil {
			return 0, errors.Join(ctx.Err(), err)
		}
	}
	return len(conns) * c.depth, nil
}

// Fresh opens n connections at once, makes the workload's number of requests on each,
// concurrently, and waits for the server to close them. It returns the number of requests.
func Fresh(ctx context.Context, w *work.Workload, addr string, n int) (requests int, err error) {
	conns := make([]net.Conn, 0, n)
	closeAll := func() {
		for _, conn := range conns {
			_ = conn.Close() // it is no longer needed
		}
	}
	defer func() { closeAll() }()
	for range n {
		conn, err := w.Dial(addr)
		if err != nil {
			return 0, err
		}
		conns = append(conns, conn)
	}
	stop := context.AfterFunc(ctx, closeAll)
	defer stop()
	readers := make([]*bufio.Reader, n)
	for i := range w.Per {
		request := w.Request(addr)
		if i == w.Per-1 {
			request = w.Last(addr)
		}
		for _, conn := range conns {
			if _, err := conn.Write(request); err != nil {
				return 0, errors.Join(ctx.Err(), err)
			}
		}
		for k, conn := range conns {
			if readers[k] == nil {
				readers[k] = bufio.NewReader(conn)
			}
			if err := oneAnswer(readers[k], w.Method); err != nil {
				return 0, errors.Join(ctx.Err(), err)
			}
		}
	}
	for _, in := range readers {
		if _, err := in.ReadByte(); err != io.EOF {
			return 0, errors.Join(ctx.Err(), fmt.Errorf("not closed after the last answer: %v", err))
		}
	}
	return n * w.Per, nil
}

// oneAnswer reads an answer of any size.
func oneAnswer(in *bufio.Reader, method string) error {
	res, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}
