// Mistakes of the caller.

package agent_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/internal/simnet"
)

// A body that does not have the declared length fails at once, even where a server would wait for
// the rest or respond without it, and is not sent again.
func TestWrongLengths(t *testing.T) {
	cases := []struct {
		name, length, body string
		declared           int64
		want               error
	}{
		{"short", "", "abc", 10, agent.ErrTooShort},
		{"nothing", "10", "", 0, agent.ErrTooShort},
		{"long", "2", "abc", 0, agent.ErrTooLong},
		{"no number", "x", "abc", 0, agent.ErrBadLength},
	}
	for _, w := range ways() {
		for _, c := range cases {
			t.Run(w.name+"/"+c.name, func(t *testing.T) {
				checkLeaks(t)
				var sockets atomic.Int64
				url := script(t, func(conn net.Conn) {
					sockets.Add(1)
					for strings.HasPrefix(simnet.ReadHead(conn), "GET ") {
						_, _ = io.WriteString(conn, hello)
					}
					_, _ = io.Copy(io.Discard, conn)
				})
				a := newAgent(t, &agent.Agent{KeepAlive: true, Retry: agent.Retry{Always: true}})
				w.call(t, func(ctx context.Context) {
					var req agent.Request
					var res agent.Response
					req.URL = url
					ask(t, a, ctx, &req, &res) // so that there is a kept socket
					req.Method = "PUT"
					if c.length != "" {
						_ = req.SetHeader("Content-Length", c.length)
					}
					if c.body != "" {
						req.Source = agent.Source{Reader: strings.NewReader(c.body), Length: c.declared,
							Again: func() (io.Reader, error) { return strings.NewReader(c.body), nil }}
					}
					var e *agent.Error
					if err := a.Do(ctx, &req, &res); !errors.Is(err, c.want) || !errors.As(err, &e) || e.Op != "send" {
						t.Errorf("%v", err)
					}
					req.Source = agent.Source{}
					if c.declared > 0 {
						_ = req.SetHeader("Content-Length", "10")
					}
					cr := a.NewRequest(ctx, &req)
					_, first := io.WriteString(cr, c.body)
					if _, err := cr.Response(); !errors.Is(first, c.want) && !errors.Is(err, c.want) {
						t.Errorf("ClientRequest: %v, %v", first, err)
					}
					_ = cr.Close()
				})
				if n := sockets.Load(); n > 1+w.sockets() {
					t.Errorf("%d sockets", n)
				}
				simnet.Eventually(t, "the sockets to be closed", func() bool { return len(a.Sockets())+len(a.FreeSockets()) == 0 })
			})
		}
	}
}

// An invalid request is rejected before anything is sent, with a one-line error.
func TestNoRequests(t *testing.T) {
	url := script(t, func(conn net.Conn) { t.Errorf("was sent %q", simnet.ReadHead(conn)) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	a := newAgent(t, &agent.Agent{})
	for name, q := range map[string]agent.Request{
		"port 0":                    {URL: "http://127.0.0.1:0/"},
		"control byte in a host":    {Host: "127.0.0.1\r\nX", Port: n},
		"control byte in a URL":     {URL: url + "/\r\nX: y"},
		"zone of no address":        {Host: "a:b%lo", Port: n},
		"zone of no zone":           {Host: "::1%", Port: n},
		"CONNECT of a path":         {URL: url, Method: "CONNECT"},
		"CONNECT without a port":    {URL: url, Method: "CONNECT", Path: "a"},
		"CONNECT of everything":     {URL: url, Method: "CONNECT", Path: "*"},
		"CONNECT of a URL":          {URL: url, Method: "CONNECT", Path: "http://a:80/"},
		"OPTIONS of more than all":  {URL: url, Method: "OPTIONS", Path: "**"},
		"GET of everything":         {URL: url, Path: "*"},
		"GET of a tunnel":           {URL: url, Path: "a:80"},
		"GET of an absolute target": {URL: url, Path: "http://a/"},
	} {
		var e *agent.Error
		err := a.Do(t.Context(), &q, nil)
		if !errors.As(err, &e) || e.Op != "request" || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var q agent.Request
	_ = q.SetHeader("Host", "a:80")
	for _, bad := range []string{"a b", "u@a", "a/b", "a:b", "[::1", strings.Repeat("a", 300) + " "} {
		for way, err := range map[string]error{
			"SetHeader":      q.SetHeader("HOST", bad),
			"AddHeader":      new(agent.Request).AddHeader("host", bad),
			"AddHeaderBytes": new(agent.Request).AddHeaderBytes([]byte("Host"), []byte(bad)),
		} {
			if err == nil {
				t.Errorf("%s took %q", way, bad)
			}
		}
	}
	if got := string(q.GetHeader("Host")); got != "a:80" {
		t.Errorf("Host became %q", got)
	}
	for _, good := range []string{"", "[::1]:80", strings.Repeat("a.", 200)} {
		if err := q.SetHeader("Host", good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// TestRequestOfAnOpenResponse: a request whose body is still being sent for a response that was not
// closed can be made a ClientRequest: that ends the sending, and nothing of the body gets into the
// new request.
func TestRequestOfAnOpenResponse(t *testing.T) {
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			checkLeaks(t)
			bodies := make(chan string, 2)
			url := script(t, func(c net.Conn) {
				simnet.ReadHead(c)
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin") // and never ends
				body, _ := io.ReadAll(c)
				bodies <- string(body)
			})
			a := newAgent(t, &agent.Agent{})
			w.call(t, func(ctx context.Context) {
				from := &gatedSource{next: make(chan struct{}), again: make(chan struct{}, 1)}
				req := agent.Request{URL: url, Method: "POST", Source: agent.Source{Reader: from}}
				var open agent.Response
				if err := a.Do(ctx, &req, &open); err != nil {
					t.Fatal(err)
				}
				simnet.Receive(t, from.again, "the read of the body")
				q := a.NewRequest(ctx, &req)
				if _, err := q.Write([]byte("own")); err != nil {
					t.Error(err)
				}
				close(from.next)
				select {
				case <-from.again:
					t.Error("the body is read on")
				case <-time.After(20 * time.Millisecond): // there is nothing to wait for
				}
				if err := q.End(nil); err != nil {
					t.Error(err)
				}
				q.Abort()
				_ = q.Close()
				_ = open.Close()
				for range 2 {
					if body := simnet.Receive(t, bodies, "the end of a request"); body != "" && !strings.HasPrefix("3\r\nown\r\n0\r\n\r\n", body) {
						t.Errorf("a server got %q", body)
					}
				}
			})
		})
	}
}

// gatedSource is a body without end whose Reads wait for next.
type gatedSource struct{ next, again chan struct{} }

func (s *gatedSource) Read(p []byte) (int, error) {
	s.again <- struct{}{}
	<-s.next
	return copy(p, "foreign"), nil
}

// TestZone: the zone of an address is local to this machine, and is not sent to the server.
func TestZone(t *testing.T) {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	heads := make(chan string, 1)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			heads <- simnet.ReadHead(conn)
			_, _ = io.WriteString(conn, hello)
			_ = conn.Close()
		}
	}()
	zone := "1"
	if loopback, err := net.InterfaceByIndex(1); err == nil {
		zone = loopback.Name
	}
	port := l.Addr().(*net.TCPAddr).Port
	for _, portable := range []bool{false, true} {
		a := newAgent(t, &agent.Agent{Portable: portable})
		for _, q := range []agent.Request{
			{URL: "http://[::1%25" + zone + "]:" + strconv.Itoa(port) + "/"},
			{Host: "::1%" + zone, Port: port},
			{Hostname: "[::1%" + zone + "]", Port: port},
		} {
			if err := a.Do(t.Context(), &q, nil); err != nil {
				t.Fatal(err)
			}
			if head := <-heads; !strings.Contains(head, "\r\nHost: [::1]:"+strconv.Itoa(port)+"\r\n") {
				t.Errorf("%q", head)
			}
			if name, err := a.GetName(&q); err != nil || !strings.Contains(name, "%"+zone) {
				t.Errorf("its name is %q, %v", name, err)
			}
		}
	}
}
