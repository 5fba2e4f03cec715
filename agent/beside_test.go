// Bodies that are sent beside the answer, where the two get in each other's way.

package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
)

// a refusal whose body comes slowly, while nothing more of the request is read.
func TestRefusalComesSlowly(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			over := make(chan struct{})
			url := script(t, func(c net.Conn) {
				readHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\n")
				time.Sleep(200 * time.Millisecond) // sleep: it takes its time
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

// garbage, or the end, while the body is stuck: the error must say so.
func TestErrorWhileSending(t *testing.T) {
	for _, w := range ways()[:3] {
		for _, what := range []string{"garbage", "fin", "bodygarbage", "bodyfin"} {
			t.Run(w.name+"/"+what, func(t *testing.T) {
				over := make(chan struct{})
				url := script(t, func(c net.Conn) {
					readHead(c)
					time.Sleep(50 * time.Millisecond) // sleep: it takes its time
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

// Write from the Continue event.
func TestWriteInContinue(t *testing.T) {
	for _, w := range ways()[:1] {
		t.Run(w.name, func(t *testing.T) {
			url := script(t, func(c net.Conn) {
				readHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
				b := make([]byte, 5)
				_, _ = io.ReadFull(c, b)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"+string(b))
				_, _ = io.Copy(io.Discard, c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
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
				b, err := io.ReadAll(res)
				t.Logf("%q %v", b, err)
			})
		})
	}
}

// any method of the request in an event that is told of while it is written.
func TestEndInInformation(t *testing.T) {
	url := script(t, func(c net.Conn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
		time.Sleep(50 * time.Millisecond) // sleep: it takes its time
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	done := make(chan struct{})
	go func() {
		defer close(done)
		var c *agent.ClientRequest
		req := &agent.Request{URL: url, Method: "POST"}
		called := false
		req.On.Information = func(*agent.Response) { called = true; _ = c.End(nil) }
		c = a.NewRequest(t.Context(), req)
		defer c.Abort()
		_ = c.FlushHeaders()
		for range 20 {
			time.Sleep(10 * time.Millisecond) // sleep: it takes its time
			if _, err := c.Write([]byte("x")); err != nil || called {
				return
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("deadlock: End in On.Information waits for ClientRequest.look, which its caller holds")
	}
}

// what a Write under way gets when the answer is closed / has refused.
func TestWriteWhenClosed(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 200 OK\r\n", "HTTP/1.1 413 No\r\n"} {
		over := make(chan struct{})
		url := script(t, func(c net.Conn) {
			readHead(c)
			time.Sleep(100 * time.Millisecond) // sleep: it takes its time
			_, _ = io.WriteString(c, head+"Content-Length: 3\r\n\r\n")
			time.Sleep(200 * time.Millisecond) // sleep: it takes its time
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
		select {
		case err := <-werr:
			if err != nil {
				t.Errorf("%q: Write under way, documented as dropped: %v", head, err)
			}
		case <-time.After(3 * time.Second):
			t.Error("Write hangs")
		}
		close(over)
	}
}

// late is a Source whose first Read begins late, as when the goroutine that sends gets no
// processor for a while.
type late struct {
	io.Reader
	go_  chan struct{}
	read chan string
}

func (l late) Read(p []byte) (n int, err error) {
	<-l.go_
	said := "it panicked" // as with galedebug
	defer func() { l.read <- said }()
	n, err = l.Reader.Read(p)
	said = fmt.Sprintf("%q %v", p[:n], err)
	return n, err
}

// the sending goroutine's first Read of an engine.Request comes after the handler has
// returned: it must not read the body of the next request.
func TestLateReadOfSource(t *testing.T) {
	url := script(t, func(c net.Conn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	l := late{go_: make(chan struct{}), read: make(chan string, 1)}
	var n atomic.Int32
	s := &engine.Server{Loops: 1, Dispatch: engine.Inline}
	s.Handler = func(req *engine.Request, res *engine.Response) {
		if n.Add(1) == 1 {
			var r agent.Response
			l.Reader = req
			err := a.Do(req.Context(), &agent.Request{URL: url, Method: "POST", Source: agent.Source{Reader: l}}, &r)
			if err != nil {
				t.Error(err)
			}
			_ = r.Close()
			_ = res.EndString("first")
			return
		}
		close(l.go_)
		time.Sleep(20 * time.Millisecond) // sleep: it takes its time
		b, err := io.ReadAll(req)
		_ = res.EndString(fmt.Sprintf("second %q %v", b, err))
	}
	if err := s.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, body := range []string{"", "SECRET OF THE NEXT REQUEST"} {
		c, _ := net.Dial("tcp", s.Addr().String())
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
		if i == 0 {
			_, _ = io.WriteString(c, "0\r\n\r\n")
		} else {
			_, _ = fmt.Fprintf(c, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		}
		b, err := io.ReadAll(c)
		t.Logf("%d: %q %v", i, b[max(0, len(b)-60):], err)
		c.Close()
	}
	select {
	case got := <-l.read:
		t.Log("the late Read got", got)
		if strings.Contains(got, "SECRET") {
			t.Error("the sender of the first request has read the body of the second")
		}
	case <-time.After(3 * time.Second):
		t.Error("no read")
	}
}

// the writer sets a timeout while another goroutine receives.
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
		_, _ = io.Copy(io.Discard, res)
		_ = res.Close()
		<-done
	}
}

// an answer as Source, closed when the upload was refused.
func TestResponseAsSource(t *testing.T) {
	up := script(t, func(c net.Conn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc")
		_, _ = io.Copy(io.Discard, c)
	})
	no := script(t, func(c net.Conn) {
		readHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for range 20 {
		func(ctx context.Context) {
			res1, err := a.Get(ctx, up)
			if err != nil {
				t.Fatal(err)
			}
			defer res1.Close()
			var res2 agent.Response
			err = a.Do(ctx, &agent.Request{URL: no, Method: "POST", Source: agent.Source{Reader: res1, Length: 100000}}, &res2)
			if err != nil {
				t.Log(err)
			}
			_ = res2.Close()
		}(t.Context())
	}
}

// the second attempt must stream both ways as the first does.
func TestRetryReadsTheAnswer(t *testing.T) {
	var n atomic.Int32
	over := make(chan struct{})
	size := 32 << 20
	url := script(t, func(c net.Conn) {
		if n.Add(1) == 1 {
			readHead(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			readHead(c)
			_, _ = io.CopyN(io.Discard, c, int64(size))
			return // processed perhaps, and gone
		}
		readHead(c)
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
	select {
	case err := <-done:
		if err != nil || res.StatusCode() != 413 {
			t.Errorf("%d %v (attempts %d)", res.StatusCode(), err, n.Load())
		}
	case <-time.After(4 * time.Second):
		t.Errorf("the answer to attempt %d is not read: the body is sent by the caller", n.Load())
	}
}

// bursts is a Source whose Read panics.
type bursts struct{}

func (bursts) Read([]byte) (int, error) { panic("burst") }

// A Source that panics fails its call, and nothing else.
func TestSourcePanics(t *testing.T) {
	url := script(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	for _, w := range ways() {
		w.call(t, func(ctx context.Context) {
			var res agent.Response
			err := a.Do(ctx, &agent.Request{URL: url, Method: "POST", Source: agent.Source{Reader: bursts{}}}, &res)
			if !errors.Is(err, agent.ErrSource) || !bytes.Contains([]byte(err.Error()), []byte("burst")) {
				t.Errorf("%s: %v", w.name, err)
			}
		})
	}
}

// A request is not sent again while its Source is still being read: what that Read takes
// would be missing.
func TestNoReplayBesideRead(t *testing.T) {
	source := stuck{make(chan struct{})}
	url := script(t, func(c net.Conn) {
		readHead(c)
		_, _ = io.WriteString(c, hello)
		readHead(c)
	})
	a := newAgent(t, &agent.Agent{KeepAlive: true})
	var req agent.Request
	var res agent.Response
	req.URL = url
	ask(t, a, t.Context(), &req, &res)
	req.Method, req.Source = "PUT", agent.Source{Reader: source, Again: func() (io.Reader, error) {
		t.Error("Again was called")
		return source, nil
	}}
	if err := a.Do(t.Context(), &req, &res); !errors.Is(err, agent.ErrServerClosed) {
		t.Errorf("%v", err)
	}
	close(source.release)
}
