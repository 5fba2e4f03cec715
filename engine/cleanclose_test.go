// Which failures Events.ClientError is called for.

package engine_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// A client that closes a connection at rest has done nothing wrong: Events.ClientError is not
// called for it, but for one that leaves in the middle of a head.
func TestCleanCloseIsNoClientError(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		told := make(chan error, 8)
		s := prepare(t, d, hello)
		s.On.ClientError = func(err error, socket *engine.Socket) { told <- err; _ = socket.Close() }
		s.listen()
		for _, sent := range []string{"", "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "GET /hel"} {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(c, sent)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.ReadAll(c) // until the server has closed it, too
			_ = c.Close()
		}
		if err := <-told; err == nil || strings.Contains(err.Error(), "EOF") {
			t.Errorf("told of %v", err)
		}
		if len(told) > 0 {
			t.Errorf("told of %v as well", <-told)
		}
	})
}

// A connection that fails, or a body that turns out malformed, while a request is being answered:
// Events.ClientError is called once, and cannot write behind what was answered.
func TestClientErrorWhileAnswering(t *testing.T) {
	const post = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	unread := func(_ *engine.Request, res *engine.Response) { _ = res.EndString("done") }
	begun := func(req *engine.Request, res *engine.Response) {
		_, _ = res.WriteString("done")
		_, _ = io.ReadAll(req)
	}
	for _, row := range []struct {
		name, sent string
		handler    engine.Handler
		answer     bool // the client reads it; otherwise it resets the connection once the handler runs
		protocol   bool
	}{
		{"a malformed body that nobody reads", post + "x\r\n", unread, true, true},
		{"a body cut short that nobody reads", post + "5\r\nhel", unread, true, true},
		{"a malformed body behind an answer that has begun", post + "x\r\n", begun, true, true},
		{"a reset while the body is read", post + "5\r\nhel", begun, false, false},
		{"a reset before the answer", request("/"), unread, false, false},
		{"a reset in the answer", request("/"), func(_ *engine.Request, res *engine.Response) {
			for range 3 {
				_, _ = res.WriteString("more")
			}
		}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				type news struct{ err, write error }
				told := make(chan news, 8)
				runs, reset := make(chan bool), make(chan bool)
				s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
					if !row.answer {
						runs <- true
						<-reset
					}
					row.handler(req, res)
				})
				s.On.ClientError = func(err error, socket *engine.Socket) {
					_, write := socket.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
					told <- news{err, write}
				}
				s.listen()
				c := s.dial()
				c.send(row.sent)
				if row.answer {
					c.halfClose()
					if all, err := io.ReadAll(c); err != nil || strings.Count(string(all), "HTTP/1.1 ") != 1 || !strings.Contains(string(all), "done") {
						t.Errorf("got %q, %v", all, err)
					}
				} else {
					<-runs
					_ = c.Conn.(*net.TCPConn).SetLinger(0)
					_ = c.Close()
					close(reset)
				}
				got := simnet.Receive(t, told, "the event")
				var bad *engine.ProtocolError
				if errors.As(got.err, &bad) != row.protocol || row.protocol && !errors.Is(got.write, engine.ErrAttached) {
					t.Errorf("told of %v; a write there: %v", got.err, got.write)
				}
				s.closeNow()
				if len(told) > 0 {
					t.Errorf("told once more: %v", <-told)
				}
			})
		})
	}
}

// What was answered by then has been sent when Events.ClientError is called: neither its waits nor
// its closing the socket keep that from the client.
func TestClientErrorComesBehindAnswers(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		read := make(chan bool)
		s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
			if _, err := io.ReadAll(req); err != nil {
				_ = res.SetStatus(422)
			}
			_ = res.EndString("hello")
		})
		s.On.ClientError = func(_ error, socket *engine.Socket) {
			<-read
			_ = socket.Close()
		}
		s.listen()
		c := s.dial()
		c.send(request("/") + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
		c.expect(200, "hello")
		c.expect(422, "hello")
		close(read)
		if rest := c.cut(); rest != "" {
			t.Errorf("got %q as well", rest)
		}
	})
}

// What the server does to a connection itself is no client's error.
func TestOwnCutIsNoClientError(t *testing.T) {
	unreadable, err := os.OpenFile(filepath.Join(t.TempDir(), "file"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = unreadable.WriteString("hidden")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unreadable.Close()
	for _, how := range []string{"/socket", "/timeout", "/close", "/file"} {
		t.Run(how[1:], func(t *testing.T) {
			eachDriver(t, func(t *testing.T, d driver) {
				runs, over := make(chan bool, 1), make(chan error, 1)
				s := prepare(t, d, func(req *engine.Request, res *engine.Response) {
					runs <- true
					if how == "/socket" {
						_ = req.Socket().Close()
					}
					_, err := res.WriteString("lost")
					if how == "/file" {
						_, err = res.SendFile(unreadable, 0, -1)
					}
					for err == nil {
						_, err = res.Write(make([]byte, 1<<20))
					}
					over <- err
				})
				if how == "/timeout" {
					s.Timeouts.Write = 20 * time.Millisecond
				}
				s.On.ClientError = func(err error, _ *engine.Socket) { t.Errorf("told of %v", err) }
				s.listen()
				c := s.dial()
				c.send(request(how))
				<-runs
				if how == "/close" {
					s.closeNow()
				}
				if err := simnet.Receive(t, over, "the end of the handler"); err == nil {
					t.Error("it wrote all")
				}
				if how != "/close" && !simnet.Becomes(func() bool { return s.Connections() == 0 }) {
					t.Error("the connection stays")
				}
			})
		})
	}
}
