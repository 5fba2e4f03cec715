// Switching protocols: how a request for it is forwarded, and servers that switch unasked.

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gale-http/gale/agent"
	"github.com/gale-http/gale/engine"
	"github.com/gale-http/gale/internal/simnet"
)

// passedOn returns the fields, as a server receives them, of a request that Forward has made.
func passedOn(t *testing.T, request string, upgrade func(*agent.Response, net.Conn, []byte)) []string {
	t.Helper()
	heads := make(chan string, 1)
	back := script(t, func(c net.Conn) {
		heads <- simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	a := newAgent(t, new(agent.Agent))
	front := &engine.Server{Loops: 1, Handler: func(in *engine.Request, out *engine.Response) {
		var req agent.Request
		var res agent.Response
		defer res.Close()
		req.URL, req.On.Upgrade = back, upgrade
		if err := req.Forward(in); err != nil {
			t.Error(err)
		}
		if err := a.Do(in.Context(), &req, &res); err != nil {
			t.Error(err)
		}
	}}
	if err := front.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(simnet.Receive(t, heads, "the request"), "\r\n")
	simnet.ReadHead(c)
	return lines
}

func TestForwardPassesTheWishForAnotherProtocolOn(t *testing.T) {
	listens := func(*agent.Response, net.Conn, []byte) {}
	for _, c := range []struct {
		version, connection string
		upgrade             func(*agent.Response, net.Conn, []byte)
		passed              bool
	}{
		{"1.1", "Upgrade", listens, true},
		{"1.1", "x-hop, upgrade, keep-alive", listens, true},
		{"1.1", "Upgrade", nil, false},
		{"1.1", "keep-alive", listens, false}, // Upgrade without Connection: upgrade is ignored (RFC 9110 §7.8)
		{"1.0", "Upgrade", listens, false},
	} {
		request := fmt.Sprintf("GET / HTTP/%s\r\nHost: a\r\nConnection: %s\r\nUpgrade: first/1\r\nX-Hop: 1\r\nX-End: 1\r\nupgrade: second\r\n\r\n", c.version, c.connection)
		lines := passedOn(t, request, c.upgrade)
		for _, line := range []string{"Connection: Upgrade", "Upgrade: first/1", "upgrade: second"} {
			if slices.Contains(lines, line) != c.passed {
				t.Errorf("HTTP/%s, Connection: %s, heard %v: %q", c.version, c.connection, c.upgrade != nil, lines)
			}
		}
		if !slices.Contains(lines, "X-End: 1") || slices.Contains(lines, "X-Hop: 1") && strings.Contains(c.connection, "x-hop") {
			t.Errorf("the other fields: %q", lines)
		}
	}
}

// A server that switches unasked, or to a protocol that was not asked for, is at fault (RFC 9110
// §7.8), whether or not there is an event function, also on a reused socket. Node and net/http
// accept such a switch.
func TestSwitchUnasked(t *testing.T) {
	const named = "Connection: upgrade\r\nUpgrade: x\r\n"
	for _, c := range []struct {
		name    string
		asked   []string // fields of the request
		version string
		answer  string // fields of the 101
		good    bool
	}{
		{"not asked", nil, "1.1", named, false},
		{"not asked, not named", nil, "1.1", "", false},
		{"Upgrade without its connection option", []string{"Upgrade", "x"}, "1.1", named, false},
		{"the connection option alone", []string{"Connection", "upgrade"}, "1.1", named, false},
		{"another protocol", []string{"Connection", "upgrade", "Upgrade", "y, xx"}, "1.1", named, false},
		{"another version", []string{"Connection", "upgrade", "Upgrade", "x/2"}, "1.1", "Connection: upgrade\r\nUpgrade: x/1\r\n", false},
		{"more than asked for", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", "Connection: upgrade\r\nUpgrade: x, y\r\n", false},
		{"no protocol", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", "Connection: upgrade\r\n", false},
		{"an empty list", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", "Connection: upgrade\r\nUpgrade: ,\r\n", false},
		{"HTTP again", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", "Connection: upgrade\r\nUpgrade: HTTP/1.1\r\n", false},
		{"no connection option", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", "Upgrade: x\r\n", false},
		{"HTTP/1.0", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.0", named, false},
		{"asked", []string{"Connection", "upgrade", "Upgrade", "x"}, "1.1", named, true},
		{"one of several", []string{"Connection", "foo, Upgrade", "Upgrade", "y, X"}, "1.1", named, true},
		{"layers", []string{"Connection", "upgrade", "Upgrade", "x/1"}, "1.1", "Connection: upgrade\r\nUpgrade: x/1, HTTP/1.1\r\n", true}, // RFC 2817 §3.3
		{"lines", []string{"Connection", "upgrade", "Upgrade", "x, y"}, "1.1", "Connection: upgrade\r\nUpgrade: x\r\nUpgrade: y\r\n", true},
	} {
		for _, w := range ways() {
			for _, listens := range []bool{true, false} {
				t.Run(fmt.Sprint(w.name, "/", c.name, ", heard ", listens), func(t *testing.T) {
					closed := make(chan struct{})
					var conns, heads atomic.Int32
					url := script(t, func(s net.Conn) {
						for conns.Add(1); simnet.ReadHead(s) != ""; {
							if heads.Add(1) < 3 {
								_, _ = io.WriteString(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
								continue
							}
							_, _ = io.WriteString(s, "HTTP/"+c.version+" 101 So what\r\n"+c.answer+"\r\nhi")
							_, _ = io.Copy(s, s)
							close(closed)
							return
						}
					})
					a := newAgent(t, &agent.Agent{KeepAlive: true})
					w.call(t, func(ctx context.Context) {
						var req agent.Request
						var res agent.Response
						defer res.Close()
						var socket net.Conn
						var head string
						req.URL = url
						if listens {
							req.On.Upgrade = func(_ *agent.Response, s net.Conn, h []byte) { socket, head = s, string(h) }
						}
						for range 2 {
							if status, body := ask(t, a, ctx, &req, &res); status != 200 || body != "ok" {
								t.Errorf("%d %q", status, body)
							}
						}
						for i := 0; i < len(c.asked); i += 2 {
							if err := req.SetHeader(c.asked[i], c.asked[i+1]); err != nil {
								t.Error(err)
							}
						}
						err := a.Do(ctx, &req, &res)
						if good := c.good && listens; good != (err == nil) || good != (socket != nil) ||
							!c.good && !errors.As(err, new(*agent.ProtocolError)) || c.good && !listens && !errors.Is(err, agent.ErrTunnel) {
							t.Errorf("%v, socket %v", err, socket)
						}
						if socket != nil {
							defer socket.Close()
							echoes(t, socket, head)
						}
						if conns.Load() > 1 { // the handler has lost its loop, and with it the sockets there
							a.CloseFreeSockets()
						}
						simnet.Eventually(t, "the agent to have no socket", func() bool { return agent.AllSockets(a) == 0 })
					})
					simnet.Receive(t, closed, "the closing of the socket")
				})
			}
		}
	}
}

// echoes checks that socket, whose first bytes are head, first sends "hi" and then echoes.
func echoes(t *testing.T, socket net.Conn, head string) {
	t.Helper()
	if _, err := io.WriteString(socket, "echo"); err != nil {
		t.Error(err)
	}
	rest := make([]byte, 6-len(head))
	if _, err := io.ReadFull(socket, rest); head+string(rest) != "hiecho" || err != nil {
		t.Errorf("%q %q, %v", head, rest, err)
	}
}

// A proxy that answers CONNECT with a 101 has not made a tunnel.
func TestProxySwitches(t *testing.T) {
	url := script(t, func(c net.Conn) {
		simnet.ReadHead(c)
		_, _ = io.WriteString(c, "HTTP/1.1 101 So what\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
	a := newAgent(t, new(agent.Agent))
	var req agent.Request
	var res agent.Response
	req.URL, req.Route.Proxy = "https://a.example/", url
	err := a.Do(t.Context(), &req, &res)
	var e *agent.Error
	if !errors.As(err, &e) || e.Op != "proxy" || !errors.As(err, new(*agent.ProtocolError)) {
		t.Error(err)
	}
}
