// ClientRequest and the seed's events.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// hello is a complete response.
const hello = "HTTP/1.1 200 OK\r\nDate: Fri, 27 Nov 2026 08:00:00 GMT\r\nContent-Length: 13\r\n\r\nHello, world!"

// script is simnet.Serve that returns a URL.
func script(t testing.TB, serve func(c net.Conn)) (url string) {
	t.Helper()
	return "http://" + simnet.Serve(t, serve)
}

func TestStreaming(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Trailer", "X-Sum")
				_ = http.NewResponseController(w).EnableFullDuplex()
				n, _ := io.Copy(w, r.Body)
				w.Header().Set("X-Sum", fmt.Sprint(n, r.Trailer.Get("X-End"), r.Header.Get("X-A"), r.ContentLength))
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				for range 3 {
					cr := a.NewRequest(ctx, &agent.Request{URL: s.URL, Method: "PUT"})
					_ = cr.SetHeader("X-A", "b")
					_ = cr.SetHeader("Trailer", "X-End")
					cr.SetNoDelay(false)
					cr.SetSocketKeepAlive(true, 1000)
					cr.SetTimeout(10 * time.Second)
					var want strings.Builder
					for i := range 100 {
						piece := strings.Repeat(fmt.Sprint(i), i)
						want.WriteString(piece)
						if _, err := io.WriteString(cr, piece); err != nil {
							t.Fatal(err)
						}
					}
					_ = cr.AddTrailers("X-End", "!")
					if err := cr.End([]byte("end")); err != nil {
						t.Fatal(err)
					}
					res, err := cr.Response()
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(res)
					if err != nil || string(body) != want.String()+"end" {
						t.Errorf("%v, %d bytes", err, len(body))
					}
					sum := ""
					for name, value := range res.Trailers() {
						sum += string(name) + "=" + string(value)
					}
					if want := fmt.Sprintf("x-sum=%d!b-1", want.Len()+3); sum != want {
						t.Errorf("trailers %q, want %q", sum, want)
					}
				}
			})
			if n := s.opened.Load(); n > w.sockets() {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			url := script(t, func(c net.Conn) {
				for {
					head := simnet.ReadHead(c)
					switch {
					case strings.Contains(head, "/go "):
						io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
						io.ReadFull(c, make([]byte, 5))
						io.WriteString(c, hello)
					case strings.Contains(head, "/silent "):
						io.ReadFull(c, make([]byte, 5))
						io.WriteString(c, hello)
					default:
						answer := "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"
						if strings.Contains(head, "/slowly ") {
							io.WriteString(c, answer[:20])
							// Longer than the first byte of a head may take: the body must not come all the same.
							_ = c.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
							if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
								t.Errorf("%d bytes of a body that was refused, %v", n, err)
							}
							_ = c.SetReadDeadline(time.Time{})
							answer = answer[20:]
						}
						io.WriteString(c, answer)
						c.(*net.TCPConn).CloseWrite()
						io.Copy(io.Discard, c) // so that an unread body does not cause a reset
						return
					}
				}
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, Timeouts: agent.Timeouts{Continue: 50 * time.Millisecond}})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				req.URL, req.Method, req.Body = url, "POST", []byte("12345")
				_ = req.SetHeader("Expect", "100-continue")
				said, hints := 0, ""
				req.On.Continue = func() { said++ }
				req.On.Information = func(res *agent.Response) { hints += fmt.Sprint(res.StatusCode(), string(res.Header("link"))) }
				for _, c := range []struct {
					path   string
					status int
				}{{"/go", 200}, {"/silent", 200}, {"/refused", 417}, {"/slowly", 417}, {"/go", 200}} {
					req.Path = c.path
					if status, _ := ask(t, a, ctx, &req, &res); status != c.status {
						t.Errorf("%s: %d", c.path, status)
					}
				}
				if said != 2 || hints != "103a103a" {
					t.Errorf("%d continues, hints %q", said, hints)
				}
			})
		})
	}
}

func TestConnectAndUpgrade(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			url := script(t, func(c net.Conn) {
				if head := simnet.ReadHead(c); strings.HasPrefix(head, "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n") {
					io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhead")
				} else {
					io.WriteString(c, "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhead")
				}
				io.Copy(c, c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true, MaxSockets: 1})
			w.call(t, func(ctx context.Context) {
				var req agent.Request
				var res agent.Response
				told := 0
				event := func(res *agent.Response, socket net.Conn, head []byte) {
					told++
					defer socket.Close()
					io.WriteString(socket, " and tail")
					more := make([]byte, 9)
					if _, err := io.ReadFull(socket, more); err != nil || string(head)+string(more) != "head and tail" && string(more) != "head and " {
						t.Errorf("%q %q %v", head, more, err)
					}
				}
				req.URL, req.On.Connect, req.On.Upgrade = url, event, event
				req.Method, req.Path = "CONNECT", "a.example:80"
				if err := a.Do(ctx, &req, &res); err != nil || res.StatusCode() != 200 {
					t.Error(err)
				}
				req.Method, req.Path = "GET", "/"
				_ = req.SetHeader("Connection", "upgrade")
				_ = req.SetHeader("Upgrade", "echo")
				if err := a.Do(ctx, &req, &res); err != nil || res.StatusCode() != 101 {
					t.Error(err)
				}
				req.On.Upgrade = nil
				if err := a.Do(ctx, &req, &res); !errors.Is(err, agent.ErrTunnel) {
					t.Error(err)
				}
				if told != 2 {
					t.Errorf("%d sockets were handed over", told)
				}
			})
			simnet.Eventually(t, "the refused tunnel to be closed", func() bool { return len(a.Sockets()) == 0 })
		})
	}
}

func TestAbort(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			begun := make(chan struct{}, 1)
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				begun <- struct{}{}
				io.Copy(io.Discard, c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				aborted := 0
				cr := a.NewRequest(ctx, &agent.Request{URL: url, On: agent.Events{Abort: func() { aborted++ }}})
				done := make(chan struct{})
				go func() {
					defer close(done)
					<-begun
					cr.Abort()
					cr.Abort()
				}()
				if _, err := cr.Response(); !errors.Is(err, agent.ErrAborted) {
					t.Error(err)
				}
				<-done
				if aborted != 1 {
					t.Errorf("told %d times", aborted)
				}
			})
			simnet.Eventually(t, "the socket to be closed", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
		})
	}
}

// A ClientRequest on a kept socket that the server has closed is sent again, unless it had a
// body.
func TestClientRequestAgain(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			url := script(t, func(c net.Conn) { // closes on the second request
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, hello)
				simnet.ReadHead(c)
			})
			a := newAgent(t, &agent.Agent{KeepAlive: true})
			w.call(t, func(ctx context.Context) {
				for _, c := range []struct {
					method, body string
					flush, ok    bool
				}{{"GET", "", false, true}, {"GET", "", false, true}, {"DELETE", "", true, true}, {"POST", "", false, false},
					{"GET", "", false, true}, {"PUT", "x", false, false}} {
					reused := false // a handler may lose its loop, and then not find the kept socket
					told := agent.Events{Socket: func(s *agent.Socket) { reused = reused || s.Reused() }}
					cr := a.NewRequest(ctx, &agent.Request{URL: url, Method: c.method, On: told})
					if c.flush {
						if err := cr.FlushHeaders(); err != nil {
							t.Error(err)
						}
					}
					if err := cr.End([]byte(c.body)); err != nil {
						t.Error(err)
					}
					res, err := cr.Response()
					if (err == nil) != (c.ok || !reused) {
						t.Errorf("%s %q, on a kept socket: %v: %v", c.method, c.body, reused, err)
					}
					if err == nil {
						if body, err := io.ReadAll(res); err != nil || string(body) != "Hello, world!" {
							t.Errorf("%q %v", body, err)
						}
					}
				}
			})
		})
	}
}

func TestOneHost(t *testing.T) {
	var req agent.Request
	if err := req.AddHeader("host", "a"); err != nil {
		t.Fatal(err)
	}
	if req.AddHeader("Host", "b") == nil || req.AddHeaderBytes([]byte("HOST"), []byte("b")) == nil || string(req.GetHeader("Host")) != "a" {
		t.Errorf("%q", req.GetHeader("Host"))
	}
	if err := req.SetHeader("Host", "b"); err != nil || string(req.GetHeader("Host")) != "b" {
		t.Error(err)
	}
}
