// Sockets: of connections that are the server's, and of those that were taken over,
// which outlive their handler but not the server.

package engine_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

func TestSocketOfARequest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		sockets := make(chan *engine.Socket, 2)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			socket := req.Socket()
			_, err := socket.Read(make([]byte, 1))
			_, err2 := socket.Write(make([]byte, 1))
			if !errors.Is(err, engine.ErrAttached) || !errors.Is(err2, engine.ErrAttached) || socket.TLS() != nil {
				t.Error(err, err2, socket.TLS())
			}
			sockets <- socket
			_ = res.EndString(socket.RemoteAddr().String() + " " + socket.LocalAddr().String())
		})
		c := s.dial()
		c.send(request("/") + request("/"))
		for range 2 {
			if a := c.next(""); a.body != c.LocalAddr().String()+" "+c.RemoteAddr().String() {
				t.Errorf("got %q", a.body)
			}
		}
		first, second := <-sockets, <-sockets
		if first != second {
			t.Error("two requests of a connection have two sockets")
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		if rest := c.ended(); rest != "" {
			t.Errorf("got %q behind the close", rest)
		}
		if !simnet.Becomes(func() bool { return errors.Is(first.SetDeadline(time.Time{}), net.ErrClosed) }) {
			t.Error("the socket does not tell that its connection has gone")
		}
		_, err := first.Read(make([]byte, 1))
		if first.RemoteAddr().String() != c.LocalAddr().String() || !errors.Is(err, net.ErrClosed) {
			t.Error(first.RemoteAddr(), err)
		}
	})
}

// A socket that was taken over works on any goroutine after its handler has returned, beside
// requests on other connections, until it is closed.
func TestSocketOutlivesItsHandler(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.On.Upgrade = func(_ *engine.Request, socket *engine.Socket, head []byte) {
			go func() {
				defer socket.Close()
				_, _ = socket.Write([]byte("HTTP/1.1 101 Over\r\n\r\n"))
				_, _ = socket.Write(head)
				_, _ = io.Copy(socket, socket)
			}()
		}
		s.listen()
		var all [8]*client
		for i := range all {
			all[i] = s.dial()
			all[i].send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhead")
		}
		for _, c := range all {
			expectText(t, c, "HTTP/1.1 101 Over\r\n\r\nhead")
		}
		for range 10 {
			for _, c := range all {
				c.send("ping")
			}
			for _, c := range all {
				expectText(t, c, "ping")
			}
		}
		if n := s.Connections(); n != 0 {
			t.Errorf("%d connections are the server's", n)
		}
		other := s.dial()
		other.send(request("/"))
		if a := other.next(""); a.body != "hello" {
			t.Errorf("got %q", a.body)
		}
		_ = all[0].Conn.(*net.TCPConn).CloseWrite()
		if rest := all[0].ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
	})
}

// Shutdown does not wait for what was taken over, and ends it.
func TestServerEndsSockets(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		got := make(chan error, 1)
		s := prepare(t, d, func(_ *engine.Request, res *engine.Response) {
			socket, _, err := res.Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = socket.Write([]byte("mine"))
			_, err = io.Copy(io.Discard, socket) // to the end of the server, and never closed
			got <- err
		})
		s.listen()
		c := s.dial()
		c.send(request("/"))
		expectText(t, c, "mine")
		ctx, cancel := context.WithTimeout(context.Background(), simnet.Patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := simnet.Receive(t, got, "the handler"); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the handler's read ended with %v", err)
		}
		if rest := c.ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
	})
}

// A handler waits on the socket it has taken over as on its request: as a coroutine.
func TestHandlerSuspendsInItsSocket(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.On.Connect = func(_ *engine.Request, socket *engine.Socket, _ []byte) {
			defer socket.Close()
			echo := bufio.NewReader(socket)
			_, _ = socket.Write([]byte("ok"))
			for {
				line, err := echo.ReadString('\n')
				if err != nil {
					return
				}
				_, _ = socket.Write([]byte(line))
			}
		}
		s.listen()
		c := s.dial()
		c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
		expectText(t, c, "ok")
		for range 100 {
			c.send("line\n")
			expectText(t, c, "line\n")
		}
	})
}

// A socket that is no longer referenced is closed.
func TestForgottenSocketIsClosed(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.On.Connect = func(_ *engine.Request, socket *engine.Socket, _ []byte) {
			_, _ = socket.Write([]byte("ok"))
		}
		s.listen()
		c := s.dial()
		c.send("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
		expectText(t, c, "ok")
		ended := make(chan string, 1)
		go func() { ended <- c.ended() }()
		for deadline := time.Now().Add(simnet.Patience); ; {
			runtime.GC()
			select {
			case rest := <-ended:
				if rest != "" {
					t.Errorf("got %q", rest)
				}
				return
			case <-time.After(time.Millisecond):
			}
			if time.Now().After(deadline) {
				t.Fatal("the socket is still open")
			}
		}
	})
}

// Deadlines of a request and a response end waits under way, and do not affect the next request.
func TestDeadlinesOfOneRequest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		errs := make(chan error, 3)
		s := start(t, d, func(req *engine.Request, res *engine.Response) {
			switch string(req.URL()) {
			case "/read":
				req.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
				_, err := req.Read(make([]byte, 1))
				errs <- err
			case "/write":
				go res.SetWriteDeadline(time.Unix(1, 0))
				var err error
				for err == nil {
					_, err = res.Write(make([]byte, 1<<20))
				}
				errs <- err
			case "/body":
				req.SetReadDeadline(time.Now().Add(-time.Second))
				res.SetWriteDeadline(time.Now().Add(-time.Second))
				_ = res.EndString("passed")
			case "/next":
				_, err := readAll(req)
				errs <- err
			}
		})
		c := s.dial()
		c.send(request("/body") + "POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
		if a := c.next(""); a.body != "passed" {
			t.Errorf("got %q", a.body)
		}
		c.send("x")
		if err := simnet.Receive(t, errs, "the second request"); err != nil {
			t.Errorf("a deadline outlived its request: %v", err)
		}
		for _, path := range []string{"/read", "/write"} {
			c := s.dial()
			c.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
			if err := simnet.Receive(t, errs, path); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, engine.ErrTimeout) {
				t.Errorf("%s: %v", path, err)
			}
			_ = c.Close()
		}
	})
}

// The events of the server itself, and of a connection before its first request.
func TestListeningConnectionClose(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		var listening, closed, connections atomic.Int32
		s := prepare(t, d, hello)
		s.On.Listening = func() { listening.Add(1) }
		s.On.Close = func() { closed.Add(1) }
		s.On.Connection = func(socket *engine.Socket) {
			connections.Add(1)
			// What a balancer says of the client, before HTTP begins.
			line := make([]byte, len("PROXY UNKNOWN\r\n"))
			if _, err := io.ReadFull(socket, line); err != nil || string(line) != "PROXY UNKNOWN\r\n" {
				_ = socket.Close()
			}
		}
		s.listen()
		s.listen()
		c := s.dial()
		c.send("PROXY UNKNOWN\r\n" + request("/") + request("/"))
		for range 2 {
			if a := c.next(""); a.body != "hello" {
				t.Errorf("got %q", a.body)
			}
		}
		bad := s.dial()
		bad.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if rest := bad.cut(); strings.Contains(rest, "HTTP") {
			t.Errorf("got %q", rest)
		}
		_ = s.Close()
		_ = s.Close()
		if listening.Load() != 2 || connections.Load() != 2 || closed.Load() != 1 {
			t.Errorf("listening %d, connection %d, close %d", listening.Load(), connections.Load(), closed.Load())
		}
	})
}

// ClientError is called for heads that take too long, and for connections that fail.
func TestClientErrorHearsOfTheRest(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		errs := make(chan error, 1)
		s := prepare(t, d, hello)
		s.Timeouts.Head = 20 * time.Millisecond
		s.On.ClientError = func(err error, socket *engine.Socket) {
			_, _ = socket.Write([]byte("late"))
			errs <- err
		}
		s.listen()
		c := s.dial()
		c.send("GET / HT")
		expectText(t, c, "late")
		var bad *engine.ProtocolError
		if err := simnet.Receive(t, errs, "the event"); !errors.As(err, &bad) || bad.Status != 408 {
			t.Error(err)
		}
		if rest := c.ended(); rest != "" {
			t.Errorf("got %q", rest)
		}
		c = s.dial()
		c.send(request("/"))
		c.next("")
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		if err := simnet.Receive(t, errs, "the event"); errors.As(err, &bad) {
			t.Error(err)
		}
	})
}

// The server's Timeout event: it decides, if set.
func TestTimeoutIsHeard(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		s := prepare(t, d, hello)
		s.Timeouts.Idle = 10 * time.Millisecond
		var n atomic.Int32
		var answered atomic.Bool
		s.On.Timeout = func(socket *engine.Socket) {
			if answered.Load() && n.Add(1) == 3 {
				_, _ = socket.Write([]byte("bye"))
				_ = socket.Close()
			}
		}
		s.listen()
		c := s.dial()
		c.send(request("/"))
		c.next("")
		answered.Store(true)
		if rest := c.ended(); rest != "bye" || n.Load() != 3 {
			t.Errorf("got %q after %d timeouts", rest, n.Load())
		}
	})
}

// Panics and exits of events end only their connection.
func TestEventsThatDoNotReturn(t *testing.T) {
	eachDriver(t, func(t *testing.T, d driver) {
		for _, how := range []string{"panic", "exit"} {
			s := prepare(t, d, hello)
			end := func() {
				if how == "exit" {
					runtime.Goexit()
				}
				panic("at the disco")
			}
			s.On.Connection = func(*engine.Socket) {}
			s.On.Upgrade = func(*engine.Request, *engine.Socket, []byte) { end() }
			s.On.ClientError = func(error, *engine.Socket) { end() }
			s.listen()
			for _, bytes := range []string{
				"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
				"GET / HTTP/9.1\r\n\r\n",
			} {
				c := s.dial()
				c.send(bytes)
				ended := make(chan string, 1)
				go func() { ended <- c.cut() }()
				untilLogged(t, s, "Events.")
				if how == "exit" && strings.Contains(bytes, "upgrade") {
					// Nobody is left to close the socket, once the goroutine has ended.
					simnet.Becomes(func() bool { runtime.GC(); return len(ended) > 0 })
				}
				if rest := simnet.Receive(t, ended, "the connection to end"); rest != "" {
					t.Errorf("%s: got %q", how, rest)
				}
			}
			c := s.dial()
			c.send(request("/"))
			if a := c.next(""); a.body != "hello" {
				t.Errorf("%s: got %q", how, a.body)
			}
			_ = s.Close()
		}
	})
}

// untilLogged waits for words in the log, and takes them.
func untilLogged(t *testing.T, s *server, words string) {
	t.Helper()
	text := ""
	if !simnet.Becomes(func() bool { text += s.log.take(); return strings.Contains(text, words) }) {
		t.Errorf("the log says %q", text)
	}
}

// expectText reads what the server must send next.
func expectText(t *testing.T, c *client, text string) {
	t.Helper()
	if got := c.readN(len(text)); got != text {
		t.Fatalf("got %q instead of %q", got, text)
	}
}
