// Bodies that are sent concurrently with the response, where the two interfere.

package agent_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// begin reads a request's head and the beginning of its body. The rest is in flight, and
// gets stuck, because nothing reads it.
func begin(c net.Conn) {
	simnet.ReadHead(c)
	_, _ = io.CopyN(io.Discard, c, 64<<10)
}

// The body of a refusal can be read even if it arrives after the caller has got the head, while
// no more of the request is read.
func TestRefusalComesSlowly(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			told, over := make(chan struct{}, 2), make(chan struct{})
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\n")
				<-told
				_, _ = io.WriteString(c, "no!")
				<-over
			})
			defer close(over)
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				for i := range 2 {
					req := agent.Request{URL: url, Method: "POST"}
					if i == 0 {
						req.Body = make([]byte, 32<<20)
					} else {
						req.Source.Reader = &pattern{n: 1 << 30}
					}
					var res agent.Response
					err := a.Do(ctx, &req, &res)
					told <- struct{}{}
					if err != nil {
						t.Errorf("%d Do: %v", i, err)
						continue
					}
					body, err := io.ReadAll(&res)
					if string(body) != "no!" || err != nil {
						t.Errorf("%d status %d body %q: %v", i, res.StatusCode(), body, err)
					}
					_ = res.Close()
				}
			})
		})
	}
}

// If garbage, or the end, arrives while the body is stuck, the error says so.
func TestErrorWhileSending(t *testing.T) {
	for _, w := range ways()[:3] {
		for _, what := range []string{"garbage", "fin", "bodygarbage", "bodyfin"} {
			t.Run(w.name+"/"+what, func(t *testing.T) {
				over := make(chan struct{})
				url := script(t, func(c net.Conn) {
					begin(c)
					switch what {
					case "garbage":
						_, _ = io.WriteString(c, "SSH-2.0-OpenSSH\r\n\r\n\r\n")
					case "fin":
						_ = c.(*net.TCPConn).CloseWrite()
					case "bodygarbage":
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n")
					case "bodyfin":
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
						_ = c.(*net.TCPConn).CloseWrite()
					}
					<-over
				})
				defer close(over)
				a := newAgent(t, &agent.Agent{KeepAlive: true})
				w.call(t, func(ctx context.Context) {
					req := agent.Request{URL: url, Method: "POST", Body: make([]byte, 32<<20)}
					var res agent.Response
					err := a.Do(ctx, &req, &res)
					if err == nil {
						_, err = io.ReadAll(&res)
					}
					var p *agent.ProtocolError
					var e *agent.Error
					ok := errors.As(err, &e) && !e.Timeout()
					switch what {
					case "garbage", "bodygarbage":
						ok = ok && errors.As(err, &p)
					case "fin":
						ok = ok && errors.Is(err, agent.ErrServerClosed)
					case "bodyfin":
						ok = ok && errors.Is(err, agent.ErrUnexpectedEOF)
					}
					if !ok {
						t.Errorf("%v", err)
					}
					_ = res.Close()
				})
			})
		}
	}
}

// The body may be written in the event function that asks for it.
func TestWriteInContinue(t *testing.T) {
	for _, w := range ways()[:1] {
		t.Run(w.name, func(t *testing.T) {
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				b := make([]byte, 5)
				_, _ = io.ReadFull(c, b)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"+string(b))
				_, _ = io.Copy(io.Discard, c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Continue: simnet.Patience}})
			w.call(t, func(ctx context.Context) {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("panic: %v", p)
					}
				}()
				var c *agent.ClientRequest
				req := &agent.Request{URL: url, Method: "POST"}
				_ = req.SetHeader("Expect", "100-continue")
				_ = req.SetHeader("Content-Length", "5")
				req.On.Continue = func() {
					if _, err := c.Write([]byte("hello")); err != nil {
						t.Errorf("Write: %v", err)
					}
				}
				c = a.NewRequest(ctx, req)
				if err := c.FlushHeaders(); err != nil {
					t.Error(err)
					return
				}
				res, err := c.Response()
				if err != nil {
					t.Error(err)
					return
				}
				if b, err := io.ReadAll(res); string(b) != "hello" || err != nil {
					t.Errorf("%q, %v", b, err)
				}
			})
		})
	}
}

// An event function called from within a Write may call any method of the request.
func TestEndInInformation(t *testing.T) {
	url := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	done := make(chan error, 1)
	go func() {
		var c *agent.ClientRequest
		req := &agent.Request{URL: url, Method: "POST"}
		called := false
		req.On.Information = func(*agent.Response) { called = true; done <- c.End(nil) }
		c = a.NewRequest(t.Context(), req)
		defer c.Abort()
		for !called {
			if _, err := c.Write([]byte("x")); err != nil && !called {
				done <- err
				return
			}
			runtime.Gosched()
		}
	}()
	if err := simnet.Receive(t, done, "End in On.Information"); err != nil {
		t.Error(err)
	}
}

// A Write in progress when the response is closed, or was a refusal, is dropped without an error.
func TestWriteWhenClosed(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 413 No\r\n"} {
		told, over := make(chan struct{}), make(chan struct{})
		url := script(t, func(c net.Conn) {
			begin(c)
			_, _ = io.WriteString(c, head+"Content-Length: 3\r\n\r\n")
			<-told
			_, _ = io.WriteString(c, "no!")
			<-over
		})
		a := newAgent(t, &agent.Agent{KeepAlive: true})
		c := a.NewRequest(t.Context(), &agent.Request{URL: url, Method: "POST"})
		if err := c.FlushHeaders(); err != nil {
			t.Fatal(err)
		}
		werr := make(chan error, 1)
		go func() { _, err := c.Write(make([]byte, 32<<20)); werr <- err }()
		res, err := c.Receive()
		close(told)
		if err != nil {
			t.Errorf("Receive: %v", err)
		} else {
			if head[9] == '4' {
				b, err := io.ReadAll(res)
				if string(b) != "no!" || err != nil {
					t.Errorf("%q: refusal's body %q, %v", head, b, err)
				}
			}
			_ = res.Close()
		}
		if err := simnet.Receive(t, werr, "the Write under way"); err != nil {
			t.Errorf("%q: the Write under way: %v", head, err)
		}
		close(over)
	}
}

// Methods that adjust the socket may be called concurrently with Receive (for the race detector).
func TestSetTimeoutBesideReceive(t *testing.T) {
	s := newServer(t, echo)
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for range 20 {
		c := a.NewRequest(t.Context(), &agent.Request{URL: s.URL, Method: "POST"})
		if err := c.FlushHeaders(); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 20 {
				c.SetTimeout(time.Second)
				_, _ = c.Write([]byte("x"))
				runtime.Gosched()
			}
			_ = c.End(nil)
			c.SetTimeout(time.Second)
			c.SetNoDelay(true)
		}()
		res, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res); string(b) != strings.Repeat("x", 20) || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		_ = res.Close()
		simnet.Receive(t, done, "the writer")
	}
}

// A second attempt streams in both directions, as the first does.
func TestRetryReadsTheAnswer(t *testing.T) {
	var n atomic.Int32
	over := make(chan struct{})
	size := 32 << 20
	url := script(t, func(c net.Conn) {
		if n.Add(1) == 1 {
			simnet.ReadHead(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			simnet.ReadHead(c)
			_, _ = io.CopyN(io.Discard, c, int64(size))
			return // it may have been processed, and the connection is gone
		}
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nno!")
		<-over
	})
	defer close(over)
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var req agent.Request
	var res agent.Response
	req.URL = url
	ask(t, a, t.Context(), &req, &res)
	req.Method = "PUT"
	data := make([]byte, size)
	req.Source = agent.Source{Reader: bytes.NewReader(data), Length: int64(size), Again: func() (io.Reader, error) { return bytes.NewReader(data), nil }}
	done := make(chan error, 1)
	go func() { done <- a.Do(t.Context(), &req, &res) }()
	if err := simnet.Receive(t, done, "the answer to the second attempt"); err != nil || res.StatusCode() != 413 {
		t.Errorf("%d %v (attempts %d)", res.StatusCode(), err, n.Load())
	}
}

// A tunnel does not open in the middle of a body: the rest of the body would become the first
// bytes of the other protocol.
func TestTunnelBeforeTheEnd(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			over := make(chan struct{})
			url := script(t, func(c net.Conn) {
				begin(c)
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n")
				<-over
			})
			defer close(over)
			a := newAgent(t, &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Continue: 20 * time.Millisecond}})
			w.call(t, func(ctx context.Context) {
				req := agent.Request{URL: url, Method: "POST", Body: make([]byte, 32<<20)}
				_ = req.SetHeader("Connection", "upgrade")
				_ = req.SetHeader("Upgrade", "foo")
				req.On.Upgrade = func(_ *agent.Response, s net.Conn, _ []byte) {
					t.Error("the tunnel opens")
					_ = s.Close()
				}
				var res agent.Response
				if err := a.Do(ctx, &req, &res); !errors.Is(err, agent.ErrSwitched) {
					t.Errorf("%v", err)
				}
				_ = res.Close()
			})
		})
	}
}
