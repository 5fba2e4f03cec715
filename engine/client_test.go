// The client of these tests: a bare connection on which the test chooses every byte. Responses are
// read by net/http's parser, which shares no code with gale.

package engine_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

type client struct {
	net.Conn
	t     testing.TB
	in    *bufio.Reader
	timed bool // the test has set a deadline of its own
}

// newClient makes a client of a connection, which is closed when the test ends.
func newClient(t testing.TB, conn net.Conn) *client {
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{Conn: conn, t: t, in: bufio.NewReader(conn)}
	c.patient()
	return c
}

// patient sets a new deadline for what is done next: a long test must not run out of time on a busy
// machine.
func (c *client) patient() {
	if !c.timed {
		_ = c.Conn.SetDeadline(time.Now().Add(simnet.Patience)) // of a connection that has ended, it is found out next
	}
}

// SetDeadline sets a deadline for all that is done from now on.
func (c *client) SetDeadline(at time.Time) error {
	c.timed = true
	return c.Conn.SetDeadline(at)
}

// SetReadDeadline is SetDeadline for reads.
func (c *client) SetReadDeadline(at time.Time) error {
	c.timed = true
	return c.Conn.SetReadDeadline(at)
}

// tryDial connects to a server that may be closing.
func tryDial(s *engine.Server) (net.Conn, error) {
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(simnet.Patience))
}

// send sends text as one piece.
func (c *client) send(text string) {
	c.t.Helper()
	c.patient()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

// next reads the response to a request with that method ("" is GET).
func (c *client) next(method string) answer {
	c.t.Helper()
	a, err := c.try(method)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

func (c *client) try(method string) (answer, error) {
	if method == "" {
		method = "GET"
	}
	c.patient()
	res, err := http.ReadResponse(c.in, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(res.Body)
	return answer{res, string(body)}, err
}

// expect reads a response and wants that status and body.
func (c *client) expect(status int, body string) answer {
	c.t.Helper()
	a := c.next("")
	if a.StatusCode != status || a.body != body {
		c.t.Fatalf("got %d %q, want %d %q", a.StatusCode, a.body, status, body)
	}
	return a
}

// inTime calls do for a connection on which something must be done before a timeout of the
// server's, limit, has passed. If the machine was too slow for that, the server may have ended the
// connection rightly, and it is done again.
func inTime(t testing.TB, limit time.Duration, do func() error) {
	t.Helper()
	for {
		begun := time.Now()
		err := do()
		switch {
		case err == nil:
			return
		case time.Since(begun) < limit:
			t.Fatal(err)
		}
	}
}

// served returns a connection on which hello has answered, within the time that the server
// gives it for that.
func (s *server) served(limit time.Duration) (c *client) {
	s.t.Helper()
	inTime(s.t, limit, func() error {
		c = s.dial()
		if _, err := io.WriteString(c, request("/")); err != nil {
			return err
		}
		a, err := c.try("")
		if err == nil && a.body != "hello" {
			err = fmt.Errorf("got %d %q", a.StatusCode, a.body)
		}
		return err
	})
	return c
}

// get sends a GET and wants that body with status 200.
func (c *client) get(path, body string) answer {
	c.t.Helper()
	c.send(request(path))
	return c.expect(200, body)
}

// readN reads n bytes as they come.
func (c *client) readN(n int) string {
	c.t.Helper()
	b := make([]byte, n)
	c.patient()
	if _, err := io.ReadFull(c.in, b); err != nil {
		c.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// ended reads to the end of the connection and returns what came; the end must
// be orderly, not a reset.
func (c *client) ended() string {
	c.t.Helper()
	c.patient()
	b, err := io.ReadAll(c.in)
	if err != nil {
		c.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// cut reads to the end of the connection, orderly or not, and returns what came.
func (c *client) cut() string {
	c.t.Helper()
	c.patient()
	b, err := io.ReadAll(c.in)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		c.t.Fatalf("after %q: %v", b, err)
	}
	return string(b)
}

// halfClose tells the server that nothing more will be sent.
func (c *client) halfClose() {
	c.t.Helper()
	if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		c.t.Fatal(err)
	}
}

// statusOf returns the status code in the first line of an answer as text.
func statusOf(text string) string {
	if len(text) < 12 || !strings.HasPrefix(text, "HTTP/1.1 ") {
		return text
	}
	return text[9:12]
}
